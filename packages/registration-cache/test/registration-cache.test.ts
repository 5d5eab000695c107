import { AccessFlags, VerbsError } from '@openverbs/verbs';
import type { ProtectionDomain } from '@openverbs/verbs';
import { expect } from 'chai';

import { RegistrationCache } from '../src/index.ts';
import { failure } from './failure.ts';
import { type FakeDevice, fakeDevice, open } from './fake-device.ts';

const { LOCAL_WRITE, REMOTE_READ, MW_BIND } = AccessFlags;

describe('RegistrationCache.regMr', () => {
  let fake: FakeDevice;
  let pd: ProtectionDomain;
  beforeEach(() => {
    fake = fakeDevice();
    pd = open(fake).allocPd();
  });

  it('gives the same region for the same memory, and for memory within it', () => {
    const cache = new RegistrationCache();
    const buffer = pd.context.allocBuf(8192);
    const whole = cache.regMr(pd, buffer, LOCAL_WRITE);
    const part = cache.regMr(pd, buffer.bytes.subarray(100, 200), LOCAL_WRITE);
    expect(part.mr).to.equal(whole.mr);
    expect(part.addr).to.equal(buffer.addr + 100);
    expect(part.length).to.equal(100);
    expect([part.lkey, part.rkey]).to.deep.equal([whole.lkey, whole.rkey]);
    expect(part.sge(10, 20)).to.include({ addr: buffer.addr + 110, length: 20, lkey: whole.lkey });
    expect(part.sge()).to.include({ addr: buffer.addr + 100, length: 100 });
    expect(failure(() => part.sge(90, 11)).code).to.equal('EINVAL');
    expect(failure(() => part.sge(-1)).code).to.equal('EINVAL');
    expect(fake.log).to.deep.equal(['reg 4096+8192']);
    const { hits, misses, registrations, pages, pagesSaved } = cache.statistics;
    expect({ hits, misses, registrations, pages, pagesSaved }).to.deep.equal({
      hits: 1,
      misses: 1,
      registrations: 1,
      pages: 2,
      pagesSaved: 1,
    });
  });

  it('keeps what is given back, and deregisters nothing that is in use', () => {
    const cache = new RegistrationCache();
    const buffer = pd.context.allocBuf(4096);
    const [first, second] = [cache.regMr(pd, buffer, LOCAL_WRITE), cache.regMr(pd, buffer, LOCAL_WRITE)];
    first.release();
    expect(cache.flush()).to.equal(0);
    expect(cache.statistics).to.include({ inUse: 1, inUseBytes: 4096, idle: 0, idleBytes: 0 });
    second.release();
    expect(cache.statistics).to.include({ inUse: 0, inUseBytes: 0, idle: 1, idleBytes: 4096 });
    cache.regMr(pd, buffer, LOCAL_WRITE).release();
    expect(fake.log).to.deep.equal(['reg 4096+4096']);
    expect(cache.flush()).to.equal(1);
    expect(fake.regions.size).to.equal(0);
  });

  it('is strict about a second release; disposal is not', () => {
    const registration = new RegistrationCache().regMr(pd, new Uint8Array(10), LOCAL_WRITE);
    registration.release();
    expect(registration.released).to.equal(true);
    expect(failure(() => registration.release())).to.include({ code: 'EINVAL', verb: 'ibv_dereg_mr' });
    registration[Symbol.dispose]();
  });

  it('tells domains, rights and memories apart', () => {
    const cache = new RegistrationCache();
    const other = pd.context.allocPd();
    const bytes = new Uint8Array(100);
    for (const [domain, memory, access] of [
      [pd, bytes, LOCAL_WRITE],
      [other, bytes, LOCAL_WRITE],
      [pd, bytes, LOCAL_WRITE | REMOTE_READ],
      [pd, new Uint8Array(100), LOCAL_WRITE],
    ] as const)
      cache.regMr(domain, memory, access);
    expect(cache.statistics).to.include({ hits: 0, misses: 4, overlappingMisses: 0 });
  });

  it('registers memory that overlaps anew, and counts what merging would have paid', () => {
    const cache = new RegistrationCache();
    const bytes = new Uint8Array(100);
    const reg = (start: number, end: number) => cache.regMr(pd, bytes.subarray(start, end), LOCAL_WRITE);
    reg(0, 40);
    reg(30, 70);
    expect(cache.statistics).to.include({ overlappingMisses: 1, mergedHits: 0 });
    reg(10, 60);
    expect(cache.statistics).to.include({ misses: 3, overlappingMisses: 2, mergedHits: 1 });
    expect(fake.log.at(-1)).to.equal('reg 10+50');
  });

  it('ends idle regions, the oldest first, beyond the limits of count and of bytes', () => {
    const cache = new RegistrationCache({ idleEntriesMax: 2, idleBytesMax: 100 });
    const reg = (bytes: number) => cache.regMr(pd, new Uint8Array(bytes), LOCAL_WRITE);
    const [one, two, three, long, tooLong] = [reg(10), reg(20), reg(30), reg(80), reg(101)];
    for (const each of [one, two, three]) each.release();
    expect(one.mr.destroyed).to.equal(true);
    expect(cache.statistics).to.include({ idle: 2, idleBytes: 50, evictions: 1 });
    long.release();
    expect([two, three, long].map(({ mr }) => mr.destroyed)).to.deep.equal([true, true, false]);
    tooLong.release();
    expect(tooLong.mr.destroyed).to.equal(true);
    expect(cache.statistics).to.include({ idle: 1, idleBytes: 80, evictions: 4 });
  });

  it('registers uncached when every entry is in use', () => {
    const cache = new RegistrationCache({ entriesMax: 2 });
    const [one, two] = [new Uint8Array(10), new Uint8Array(10)].map((bytes) => cache.regMr(pd, bytes, LOCAL_WRITE));
    const uncached = cache.regMr(pd, new Uint8Array(10), LOCAL_WRITE);
    expect(cache.statistics).to.include({ misses: 2, uncached: 1, inUse: 2 });
    uncached.release();
    expect(uncached.mr.destroyed).to.equal(true);
    one.release();
    const third = cache.regMr(pd, new Uint8Array(10), LOCAL_WRITE);
    expect(one.mr.destroyed).to.equal(true);
    expect(cache.statistics).to.include({ misses: 3, evictions: 1, inUse: 2, idle: 0 });
    two.release();
    third.release();
  });

  it('shares no region that windows are bound to', () => {
    const cache = new RegistrationCache();
    const bytes = new Uint8Array(10);
    const [one, two] = [1, 2].map(() => cache.regMr(pd, bytes, LOCAL_WRITE | MW_BIND));
    expect(one.mr).not.to.equal(two.mr);
    one.release();
    expect(one.mr.destroyed).to.equal(true);
    expect(cache.statistics).to.include({ misses: 0, uncached: 2 });
  });

  it('gives idle regions up at ENOMEM and tries again, then says what is in use and where the limit lies', () => {
    const cache = new RegistrationCache();
    fake.maxMr = 2;
    pd = open(fake).allocPd();
    const reg = () => cache.regMr(pd, new Uint8Array(10), LOCAL_WRITE);
    const idle = reg();
    idle.release();
    reg();
    reg();
    expect(idle.mr.destroyed).to.equal(true);
    expect(cache.statistics).to.include({ flushes: 1, inUse: 2, idle: 0 });
    const error = failure(reg);
    expect(error).to.include({ code: 'ENOMEM', verb: 'ibv_reg_mr' });
    expect(error.message).to.equal(
      'ibv_reg_mr: all 2 regions are in use; the registration cache has nothing idle to give up: ' +
        '2 registrations with 20 bytes are in use, and maxMr of the device is 2',
    );
    expect(error.details).to.include({ inUse: 2, inUseBytes: 20, maxMr: 2, flushed: 0 });
  });

  it('does not flush at other errors', () => {
    const cache = new RegistrationCache();
    cache.regMr(pd, new Uint8Array(10), LOCAL_WRITE).release();
    expect(failure(() => cache.regMr(pd, new Uint8Array(0), LOCAL_WRITE)).code).to.equal('EINVAL');
    expect(failure(() => cache.regMr(pd, 'memory' as never, LOCAL_WRITE)).code).to.equal('EINVAL');
    expect(failure(() => cache.regMr(pd, new Uint8Array(1), 1 << 15)).code).to.equal('EINVAL');
    expect(cache.statistics).to.include({ idle: 1, flushes: 0 });
  });

  it('stands in nobody’s way: buffers, domains and devices end with their idle regions', () => {
    const cache = new RegistrationCache();
    const { context } = pd;
    const buffer = context.allocBuf(4096);
    const used = cache.regMr(pd, buffer, LOCAL_WRITE);
    cache.regMr(pd, buffer.bytes.subarray(1), LOCAL_WRITE | REMOTE_READ).release();
    expect(failure(() => buffer.free()).message).to.contain(`is in use by ${used.mr.label}`);
    expect(cache.statistics).to.include({ idle: 0, inUse: 1, invalidations: 1 });
    used.release();
    buffer.free();
    expect(fake.log.slice(-2)).to.deep.equal([`dereg ${used.mr.handle}`, `free ${buffer.handle}`]);
    cache.regMr(pd, new Uint8Array(10), LOCAL_WRITE).release();
    pd.dealloc();
    context.close();
    expect(fake.log.slice(-1)).to.deep.equal(['close']);
    expect(cache.statistics).to.include({ idle: 0, inUse: 0, registrations: 3, deregistrations: 3 });
  });

  it('forgets what its owner disposed, in use or idle', () => {
    const cache = new RegistrationCache();
    const bytes = new Uint8Array(10);
    const used = cache.regMr(pd, bytes, LOCAL_WRITE);
    cache.regMr(pd, new Uint8Array(10), LOCAL_WRITE).release();
    pd[Symbol.dispose]();
    expect(cache.statistics).to.include({ inUse: 0, inUseBytes: 0, idle: 0 });
    expect(fake.regions.size).to.equal(0);
    used.release();
    expect(cache.statistics).to.include({ registrations: 2, deregistrations: 2 });
  });

  it('does not give out what somebody ended or changed behind its back', () => {
    const cache = new RegistrationCache();
    const bytes = new Uint8Array(10);
    const ended = cache.regMr(pd, bytes, LOCAL_WRITE);
    ended.mr.dereg();
    const changed = cache.regMr(pd, bytes, LOCAL_WRITE);
    expect(changed.mr).not.to.equal(ended.mr);
    changed.mr.rereg({ access: LOCAL_WRITE | REMOTE_READ });
    const third = cache.regMr(pd, bytes, LOCAL_WRITE);
    expect(third.mr).not.to.equal(changed.mr);
    for (const each of [ended, changed, third]) each.release();
    expect([ended, changed, third].map(({ mr }) => mr.destroyed)).to.deep.equal([true, true, false]);
  });

  it('notices at the next lookup that the memory was resized or went', () => {
    const cache = new RegistrationCache();
    // Node 20 has it; the types of its language version do not.
    const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
    const memory = new Resizable(100, { maxByteLength: 200 });
    const used = cache.regMr(pd, new Uint8Array(memory, 0, 50), LOCAL_WRITE);
    const idle = cache.regMr(pd, new Uint8Array(memory, 50, 50), LOCAL_WRITE);
    idle.release();
    (memory as ArrayBuffer & { resize(length: number): void }).resize(120);
    const again = cache.regMr(pd, new Uint8Array(memory, 0, 50), LOCAL_WRITE);
    expect(again.mr).not.to.equal(used.mr);
    expect(idle.mr.destroyed).to.equal(true);
    expect(used.mr.destroyed).to.equal(false);
    used.release();
    expect(used.mr.destroyed).to.equal(true);
    expect(cache.statistics).to.include({ hits: 0, invalidations: 2, inUse: 1, idle: 0 });
  });

  it('lets nobody suffer for a region that the device does not let go, and tries again when its owner goes', () => {
    const cache = new RegistrationCache({ idleEntriesMax: 1 });
    const reg = () => cache.regMr(pd, new Uint8Array(10), LOCAL_WRITE);
    const [one, two] = [reg(), reg()];
    one.release();
    fake.deregError = new VerbsError({ code: 'EIO', message: 'no answer' });
    two.release();
    expect(cache.statistics).to.include({ failures: 1, idle: 1 });
    expect(failure(() => pd.dealloc()).code).to.equal('EIO');
    fake.deregError = null;
    pd.dealloc();
    expect(fake.regions.size).to.equal(0);
  });

  it('refuses limits that are none', () => {
    for (const limits of [{ entriesMax: 0 }, { idleBytesMax: 1.5 }, { idleEntriesMax: 2 ** 21 }, { entries: 1 }]) {
      const error = failure(() => new RegistrationCache(limits));
      expect(error).to.include({ code: 'EINVAL' });
      expect(error.details?.['key']).to.equal(Object.keys(limits)[0]);
    }
  });
});
