import { AccessFlags, EventType, MwType, VerbsError } from '@openverbs/verbs';
import type { Context, ProtectionDomain } from '@openverbs/verbs';
import { expect } from 'chai';

import { RegistrationCache } from '../src/index.ts';
import { failure } from './failure.ts';
import { type FakeDevice, fakeDevice, open } from './fake-device.ts';

const { LOCAL_WRITE, REMOTE_READ, MW_BIND, ZERO_BASED } = AccessFlags;

describe('a device that a RegistrationCache is attached to', () => {
  let fake: FakeDevice;
  let cache: RegistrationCache;
  let context: Context;
  let pd: ProtectionDomain;
  beforeEach(() => {
    fake = fakeDevice([], false);
    cache = new RegistrationCache();
    context = open(fake, (ops) => cache.attach(ops));
    pd = context.allocPd();
  });

  it('registers once for a program that knows nothing of it', () => {
    const buffer = context.allocBuf(8192);
    const whole = pd.regMr(buffer, LOCAL_WRITE);
    const part = pd.regMr(buffer.bytes.subarray(4096, 5000), LOCAL_WRITE);
    expect(part).to.include({ addr: buffer.addr + 4096, iova: buffer.addr + 4096, length: 904, lkey: whole.lkey });
    expect(part.bytes.byteOffset).to.equal(buffer.bytes.byteOffset + 4096);
    expect(part.handle).not.to.equal(whole.handle);
    expect(part.sge(4)).to.include({ addr: buffer.addr + 4100, length: 900, lkey: whole.lkey });
    for (const mr of [whole, part]) mr.dereg();
    expect(failure(() => whole.dereg()).code).to.equal('EINVAL');
    expect(pd.regMr(buffer, LOCAL_WRITE).lkey).to.equal(whole.lkey);
    expect(fake.log).to.deep.equal(['reg 4096+8192']);
    expect(cache.statistics).to.include({ hits: 2, misses: 1, inUse: 1 });
  });

  it('tells the device of registrations that it need not make, and of their pages', () => {
    const saved: number[] = [];
    const counting = open(fake, (ops) =>
      cache.attach({ ...ops, registrationSaved: (pages) => void saved.push(pages) }),
    );
    const domain = counting.allocPd();
    const buffer = counting.allocBuf(8192);
    domain.regMr(buffer, LOCAL_WRITE).dereg();
    expect(saved).to.deep.equal([]);
    domain.regMr(buffer.bytes.subarray(4000, 4200), LOCAL_WRITE);
    domain.regMr(buffer, REMOTE_READ);
    expect(saved).to.deep.equal([2]);
  });

  it('is as strict as ever: memory and domains that are in use are EBUSY', () => {
    const buffer = context.allocBuf(4096);
    const mr = pd.regMr(buffer, LOCAL_WRITE);
    expect(failure(() => buffer.free()).code).to.equal('EBUSY');
    expect(failure(() => pd.dealloc()).code).to.equal('EBUSY');
    mr.dereg();
    buffer.free();
    pd.dealloc();
    context.close();
    expect(fake.log).to.deep.equal(['reg 4096+4096', 'dereg 3', 'free 2', 'dealloc 1', 'close']);
  });

  it('deregisters before the buffer is freed, whichever context registered it', () => {
    const other = open(fake, (ops) => cache.attach(ops));
    const buffer = context.allocBuf(4096);
    other.allocPd().regMr(buffer, LOCAL_WRITE).dereg();
    expect(cache.statistics).to.include({ idle: 1 });
    buffer.free();
    expect(fake.regions.size).to.equal(0);
    expect(cache.statistics).to.include({ idle: 0, invalidations: 1 });
  });

  it('does not keep memory whose end it would not learn of', () => {
    const foreign = open(fake);
    pd.regMr(foreign.allocBuf(4096), LOCAL_WRITE).dereg();
    context.allocBuf(4096);
    pd.regMr(foreign.allocBuf(4096), LOCAL_WRITE).dereg();
    expect(cache.statistics).to.include({ misses: 0, registrations: 0 });
    expect(fake.regions.size).to.equal(0);
  });

  it('keeps any memory where the device registers any', () => {
    const any = fakeDevice();
    const domain = open(any, (ops) => cache.attach(ops)).allocPd();
    const bytes = new Uint8Array(100);
    domain.regMr(bytes, LOCAL_WRITE).dereg();
    domain.regMr(bytes.subarray(1), LOCAL_WRITE).dereg();
    expect(cache.statistics).to.include({ hits: 1, misses: 1 });
  });

  it('ends idle regions when a domain, a parent domain or the context ends', () => {
    const buffer = context.allocBuf(4096);
    pd.regMr(buffer, LOCAL_WRITE).dereg();
    pd.dealloc();
    const second = context.allocPd();
    context.allocParentDomain({ pd: second }).regMr(buffer, LOCAL_WRITE);
    second.regMr(buffer, LOCAL_WRITE | REMOTE_READ).dereg();
    context[Symbol.dispose]();
    expect(fake.regions.size).to.equal(0);
    expect(fake.log.at(-1)).to.equal('close');
    expect(cache.statistics).to.include({ inUse: 0, idle: 0, registrations: 3, deregistrations: 3 });
  });

  it('leaves to the device what can not be shared', () => {
    const buffer = context.allocBuf(4096);
    for (const access of [LOCAL_WRITE | MW_BIND, MW_BIND]) pd.regMr(buffer, access).dereg();
    expect(failure(() => pd.regMr(buffer, ZERO_BASED)).code).to.equal('EOPNOTSUPP');
    expect(failure(() => pd.allocMw(MwType.TYPE_1)).code).to.equal('EOPNOTSUPP');
    expect(cache.statistics).to.include({ misses: 0, uncached: 0 });
    expect(fake.regions.size).to.equal(0);
  });

  it('reregisters one user of a shared region, and leaves the others alone', () => {
    const [one, two] = [context.allocBuf(4096), context.allocBuf(4096)];
    const stays = pd.regMr(one, LOCAL_WRITE);
    const moves = pd.regMr(one, LOCAL_WRITE);
    const { handle } = moves;
    moves.rereg({ memory: two });
    expect(moves).to.include({ handle, addr: two.addr, length: 4096 });
    expect(moves.lkey).not.to.equal(stays.lkey);
    const key = moves.lkey;
    fake.maxMr = 2;
    expect(failure(() => moves.rereg({ access: LOCAL_WRITE | REMOTE_READ })).code).to.equal('ENOMEM');
    expect(moves).to.include({ lkey: key, access: LOCAL_WRITE, addr: two.addr });
    fake.maxMr = 3;
    moves.rereg({ access: LOCAL_WRITE | MW_BIND });
    expect(cache.statistics).to.include({ uncached: 1 });
    moves.dereg();
    stays.dereg();
    expect(cache.statistics).to.include({ inUse: 0, idle: 2 });
    const own = pd.regMr(one, MW_BIND);
    own.rereg({ memory: two });
    expect(fake.log.at(-1)).to.equal(`rereg ${own.handle}`);
  });

  it('stops when the device has failed: nothing is given out that the device would refuse', () => {
    const buffer = context.allocBuf(4096);
    const used = pd.regMr(buffer, LOCAL_WRITE);
    pd.regMr(buffer, LOCAL_WRITE | REMOTE_READ).dereg();
    fake.events.push({ type: EventType.DEVICE_FATAL, id: 0 });
    context.routing.dispatch();
    expect(cache.statistics).to.include({ idle: 0, inUse: 0, invalidations: 2 });
    fake.maxMr = 0;
    expect(failure(() => pd.regMr(buffer, LOCAL_WRITE)).code).to.equal('ENOMEM');
    used.dereg();
    context[Symbol.dispose]();
    expect(fake.regions.size).to.equal(0);
  });

  it('passes on what the device says when an idle region can not end, and loses nothing', () => {
    const buffer = context.allocBuf(4096);
    pd.regMr(buffer, LOCAL_WRITE).dereg();
    fake.deregError = new VerbsError({ code: 'EIO', message: 'no answer' });
    expect(failure(() => buffer.free())).to.include({ code: 'EIO', verb: 'ibv_free_buf' });
    fake.deregError = null;
    buffer.free();
    expect(fake.regions.size).to.equal(0);
  });

  it('leaves out what the provider leaves out', () => {
    const poor = fakeDevice(['reregMr', 'allocParentDomain'], false);
    const domain = open(poor, (ops) => cache.attach(ops)).allocPd();
    const buffer = domain.context.allocBuf(4096);
    const mr = domain.regMr(buffer, LOCAL_WRITE);
    expect(failure(() => mr.rereg({ access: 0 })).code).to.equal('EOPNOTSUPP');
    const none = open(fakeDevice(['regMr'], false), (ops) => cache.attach(ops)).allocPd();
    expect(failure(() => none.regMr(none.context.allocBuf(1), 0)).code).to.equal('EOPNOTSUPP');
  });
});
