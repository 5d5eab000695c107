/** What `verbs.guests()` tells of guests, wherever they and their device domain run. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { AccessFlags, connectPair, openVerbs, QpState, QpType, SendFlags, WorkCompletion, WrOpcode } from 'openverbs';
import type { BackendCounters, GuestCounters, OpenVerbs } from 'openverbs';
import { openTestPair } from 'openverbs/testing';
import type { TestEnd, TestPair } from 'openverbs/testing';

/** Device domain and device may be on as many threads, of a machine that has few cores. */
const TIMEOUT_MS = 60_000;
const BYTES = 100;
/** Protection domains that a guest may have. */
const PDS = 4;
const { RDMA_WRITE, SEND } = WrOpcode;

function open(mode: 'basic' | 'bypass', placement: 'inline' | 'thread' = 'inline'): TestPair {
  const pair = openTestPair({
    config: { provider: `xen:${mode}`, xen: { placement, quotas: { pds: PDS } }, registrationCache: true },
  });
  pair.connect();
  return pair;
}

function guestOf(verbs: OpenVerbs): GuestCounters {
  const guests = verbs.guests();
  expect(guests).to.have.lengthOf(1);
  return guests[0];
}

function backendOf(verbs: OpenVerbs): BackendCounters {
  const { backend } = guestOf(verbs);
  expect(backend).to.not.equal(undefined);
  return backend!;
}

/** Writes, so many at once, and takes the completions one by one. */
function write({ a, b }: TestPair, count: number): void {
  const { addr: remoteAddr, rkey } = b.mr;
  const wr = { opcode: RDMA_WRITE, sendFlags: SendFlags.SIGNALED, sgList: [a.mr.sge(0, BYTES)], remoteAddr, rkey };
  a.qp.postSend(Array.from({ length: count }, () => wr));
  for (let n = 0; n < count; n++) take(a);
}

function take({ cq }: TestEnd): void {
  const wcs = WorkCompletion.array(1);
  while (cq.poll(wcs) === 0);
  expect(wcs[0].status, wcs[0].explain()).to.equal(0);
}

/** Asks again until the numbers are such: what a device domain on a thread does not count as it happens is a tenth of a second old. */
async function eventually(verbs: OpenVerbs, holds: (guests: readonly GuestCounters[]) => boolean): Promise<void> {
  while (!holds(verbs.guests())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('what is told of guests', function () {
  this.timeout(TIMEOUT_MS);

  /** Threads of device domains and devices, which end a while after they were told to. */
  let ends: Promise<unknown>[] = [];
  const note = (message: unknown): void => {
    ends.push(once((message as { readonly worker: Worker }).worker, 'exit'));
  };
  before(() => {
    subscribe('worker_threads', note);
  });
  afterEach(async () => {
    await Promise.all(ends);
    ends = [];
  });
  after(() => {
    unsubscribe('worker_threads', note);
  });

  for (const placement of ['inline', 'thread'] as const) {
    it(`basic: commands, posts, bytes, completions, pages; device domain ${placement}`, async () => {
      using pair = open('basic', placement);
      const before = backendOf(pair.openVerbs);
      const { ringRequests } = guestOf(pair.openVerbs);
      expect([before.commands, before.refused]).to.deep.equal([ringRequests, 0]);
      write(pair, 8);
      const after = backendOf(pair.openVerbs);
      expect(after.posts - before.posts).to.equal(8);
      expect(after.bytes - before.bytes).to.equal(8 * BYTES);
      expect(after.completions - before.completions).to.equal(8);
      expect(after.directPosts).to.equal(0);
      expect(() => Array.from({ length: PDS }, () => pair.a.context.allocPd())).to.throw(/this guest may have 4 pds/);
      expect(backendOf(pair.openVerbs).refused).to.equal(1);
      const buffer = pair.a.context.allocBuf(5 * 4096);
      const mr = pair.a.pd.regMr(buffer, AccessFlags.LOCAL_WRITE);
      const { pagesVerified, pagesRegistered } = backendOf(pair.openVerbs);
      expect(pagesVerified).to.equal(after.pagesVerified + 5);
      if (placement === 'inline') expect(pagesRegistered).to.equal(after.pagesRegistered + 5);
      else await eventually(pair.openVerbs, ([{ backend }]) => backend!.pagesRegistered >= pagesVerified);
      mr.dereg();
    });

    it(`bypass: posts that the back-end does not see, also after their queues have gone; device domain ${placement}`, async () => {
      using pair = open('bypass', placement);
      const { a, b, openVerbs: verbs } = pair;
      const reaches = async (count: number, bytes: number): Promise<void> => {
        const reached = ([{ backend }]: readonly GuestCounters[]): boolean =>
          backend!.directPosts >= count && backend!.bytes >= bytes;
        if (placement === 'thread') await eventually(verbs, reached);
        expect(backendOf(verbs)).to.deep.include({ directPosts: count, bytes });
      };
      await reaches(0, 0);
      write(pair, 8);
      await reaches(8, 8 * BYTES);
      b.qp.postRecv({ sgList: [b.mr.sge(0, BYTES)] });
      a.qp.postSend({ opcode: SEND, sendFlags: SendFlags.SIGNALED, sgList: [a.mr.sge(0, BYTES)] });
      take(a);
      take(b);
      await reaches(10, 9 * BYTES);
      expect(backendOf(verbs).posts).to.equal(0);
      a.qp.modify({ qpState: QpState.RESET });
      await reaches(10, 9 * BYTES);
      a.qp.destroy();
      b.qp.destroy();
      await reaches(10, 9 * BYTES);
    });
  }

  it('bypass: receives that were taken from an SRQ count once', () => {
    using verbs = openVerbs({ provider: 'xen:bypass' });
    const context = verbs.device().open();
    const pd = context.allocPd();
    const cq = context.createCq({ cqe: 16 });
    const srq = pd.createSrq({ attr: { maxWr: 8, maxSge: 1 } });
    const cap = { maxSendWr: 8, maxRecvWr: 0 };
    const [near, far] = [0, 1].map(() => pd.createQp({ qpType: QpType.RC, sendCq: cq, recvCq: cq, cap, srq }));
    connectPair(near, far);
    const mr = pd.regMr(context.allocBuf(4096), AccessFlags.LOCAL_WRITE);
    for (let n = 0; n < 3; n++) srq.postRecv({ sgList: [mr.sge(0, BYTES)] });
    for (let n = 0; n < 2; n++) near.postSend({ opcode: SEND, sgList: [mr.sge(0, BYTES)] });
    const wcs = WorkCompletion.array(1);
    for (let taken = 0; taken < 2;) taken += cq.poll(wcs);
    const counted = { directPosts: 4, bytes: 2 * BYTES };
    expect(backendOf(verbs)).to.deep.include(counted);
    near.destroy();
    far.destroy();
    srq.destroy();
    expect(backendOf(verbs)).to.deep.include(counted);
  });

  it('basic: polls that the buffer of completions has saved', () => {
    using pair = open('basic');
    const before = guestOf(pair.openVerbs);
    write(pair, 8);
    const { polls, pollsSaved } = guestOf(pair.openVerbs);
    expect([polls - before.polls, pollsSaved - before.pollsSaved]).to.deep.equal([8, 7]);
  });

  it('registrations that the cache has saved, guest by guest', () => {
    using verbs = openVerbs({ provider: 'xen:bypass', xen: { guests: 2 }, registrationCache: true });
    const context = verbs.devices[0].open();
    const pd = context.allocPd();
    const buffer = context.allocBuf(2 * 4096);
    for (let n = 0; n < 3; n++) pd.regMr(buffer, AccessFlags.LOCAL_WRITE).dereg();
    const told = verbs.guests().map(({ name, cacheHits, cachePagesSaved }) => ({ name, cacheHits, cachePagesSaved }));
    expect(told).to.deep.equal([
      { name: 'guest1', cacheHits: 2, cachePagesSaved: 4 },
      { name: 'guest2', cacheHits: 0, cachePagesSaved: 0 },
    ]);
  });

  it('guests of other threads, with what they tell of themselves, until they end', async () => {
    using verbs = openVerbs({ provider: 'xen:bypass', xen: { placement: 'thread', guests: [{ name: 'here' }] } });
    const url = new URL('./guest-worker.js', import.meta.url);
    const worker = new Worker(url, { workerData: { machine: verbs.machine } });
    const exit = once(worker, 'exit');
    await once(worker, 'message');
    // The last of its counts that are copied for others to see.
    const told = ({ name, cachePagesSaved }: GuestCounters): boolean => name === 'elsewhere' && cachePagesSaved === 3;
    await eventually(verbs, (guests) => guests.some(told));
    const guests = verbs.guests();
    expect(guests.map(({ name, mode }) => [name, mode])).to.deep.equal([
      ['here', 'bypass'],
      ['elsewhere', 'basic'],
    ]);
    expect(guests[1]).to.include({ connected: true, polls: 1, pollsSaved: 0, cacheHits: 1, cachePagesSaved: 3 });
    expect(guests[1].ringRequests).to.equal(guests[1].backend!.commands);
    expect(guests[1].memoryBytes).to.be.at.least(3 * 4096);
    worker.postMessage('end');
    await exit;
    expect(verbs.guests().map(({ name }) => name)).to.deep.equal(['here']);
  });

  it('nothing without a split driver, and nothing once it was closed', () => {
    using native = openVerbs({ provider: 'emulated' });
    expect(native.guests()).to.deep.equal([]);
    const verbs = openVerbs({ provider: 'xen:basic' });
    expect(guestOf(verbs)).to.include({ connected: false, ringRequests: 0 });
    verbs.close();
    expect(verbs.guests()).to.deep.equal([]);
  });
});
