import { expect } from 'chai';
import { PAGE_BYTES } from '@openverbs/machine';
import {
  connectPair,
  Device,
  QpState,
  QpType,
  SendFlags,
  WcStatus,
  WorkCompletion,
  WrOpcode,
  type CompletionQueue,
  type Context,
  type MemoryRegion,
  type QueuePair,
} from '@openverbs/verbs';
import {
  createCqOn,
  createQpOn,
  regQueueBuffer,
  userHalfOf,
  payloadBytesDone,
  workRequestsTaken,
  type DirectAccessOps,
} from '@openverbs/verbs/driver';
import { HcaDevice, userDriver } from '../../src/driver/index.ts';
import { EngineState } from '../../src/engine-state.ts';
import { Mpt } from '../../src/layout.ts';
import { audit } from '../support/audit.ts';
import { dispatcher } from '../support/dispatcher.ts';
import { allocPages, DOMAIN, openGuest, pagesOf } from '../support/front-end.ts';
import { Testbed } from '../support/testbed.ts';
import { expectVerbsError } from '../support/verbs-errors.ts';

const CAP = { maxSendWr: 8, maxRecvWr: 8, maxSendSge: 2, maxRecvSge: 2, maxInlineData: 64 };

describe('direct access', () => {
  let bed: Testbed;
  let lower: Device;
  let hcaDevice: HcaDevice;
  let guest: ReturnType<typeof openGuest>;
  let native: { context: Context; qp: QueuePair; cq: CompletionQueue; mr: MemoryRegion };

  beforeEach(() => {
    bed = new Testbed();
    hcaDevice = new HcaDevice(bed.engine, bed.hca, bed.clock);
    lower = new Device(hcaDevice, 'emulated', dispatcher);
    guest = openGuest(bed.machine, userDriver, lower);
    native = openNative(lower);
  });

  const inventory = (): object => ({ ...bed.hca.objects, ...bed.machine.pages.stats() });
  const directOf = (context: Context): DirectAccessOps => context.ops.directAccess!();

  /** A QP of the guest, connected to the native one. */
  function guestQp(): { qp: QueuePair; cq: CompletionQueue } {
    const cq = guest.context.createCq({ cqe: 16 });
    const pd = guest.context.allocPd();
    const qp = pd.createQp({ qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: CAP });
    connectPair(qp, native.qp);
    return { qp, cq };
  }

  /** Memory of the guest, registered by its back-end in the PD of the last QP. */
  function guestMr(): MemoryRegion {
    const [pd] = [...guest.back.pds.values()].slice(-1);
    return pd.regMr(guest.back.context.allocBuf(4096), 0xf);
  }

  it('moves messages both ways over rings in pages of the guest, and asks the back-end for none of it', () => {
    const { qp, cq } = guestQp();
    const mr = guestMr();
    const lowerQp = guest.back.qps.get(qp.handle)!;
    expect(lowerQp.state).to.equal(QpState.RTS);
    const asked = { ...guest.back };
    for (let n = 0; n < 20; n++) {
      mr.bytes.fill(n + 1, 0, 100);
      native.qp.postRecv({ wrId: n, sgList: [native.mr.sge(0, 200)] });
      qp.postSend({ wrId: n, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList: [mr.sge(0, 100)] });
      expectCompletion(cq, n);
      expectCompletion(native.cq, n);
      expect([...native.mr.bytes.subarray(0, 101)]).to.deep.equal([...new Array<number>(100).fill(n + 1), 0]);
      qp.postRecv({ wrId: n, sgList: [mr.sge(1000, 200)] });
      native.qp.postSend({
        wrId: n,
        opcode: WrOpcode.SEND,
        sendFlags: SendFlags.SIGNALED,
        sgList: [native.mr.sge(0, 9)],
      });
      expectCompletion(cq, n);
      expectCompletion(native.cq, n);
      expect(mr.bytes[1008]).to.equal(n + 1);
    }
    expect({ ...guest.back }).to.deep.equal(asked);
  });

  it('tells how many work requests it is done with, and their payload, from 0 after a reset', () => {
    const { qp, cq } = guestQp();
    const mr = guestMr();
    const lowerQp = guest.back.qps.get(qp.handle)!;
    const told = (): unknown => [workRequestsTaken(lowerQp), payloadBytesDone(lowerQp)];
    expect(told()).to.deep.equal([0, 0]);
    expect([workRequestsTaken(native.qp), payloadBytesDone(native.qp)]).to.deep.equal([undefined, undefined]);
    native.qp.postRecv({ wrId: 1, sgList: [native.mr.sge(0, 200)] });
    qp.postSend({ wrId: 1, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList: [mr.sge(0, 100)] });
    expectCompletion(cq, 1);
    qp.postRecv({ wrId: 2, sgList: [mr.sge(0, 200)] });
    expect(told()).to.deep.equal([1, 100]);
    native.qp.postSend({ wrId: 2, opcode: WrOpcode.SEND, sgList: [native.mr.sge(0, 9)] });
    expectCompletion(cq, 2);
    expect(told()).to.deep.equal([2, 100]);
    qp.modify({ qpState: QpState.RESET });
    expect(told()).to.deep.equal([0, 0]);
  });

  it('finds inline data by the buffers of the guest', () => {
    const { qp, cq } = guestQp();
    const mr = guestMr();
    mr.bytes.set([7, 8, 9]);
    native.qp.postRecv({ wrId: 1, sgList: [native.mr.sge(0, 200)] });
    const sendFlags = SendFlags.SIGNALED | SendFlags.INLINE;
    qp.postSend({ wrId: 1, opcode: WrOpcode.SEND, sendFlags, sgList: [mr.sge(0, 3)] });
    expectCompletion(cq, 1);
    expect([...native.mr.bytes.subarray(0, 3)]).to.deep.equal([7, 8, 9]);
  });

  it('posts, polls and arms nothing at the context that made the queues', () => {
    const { qp } = guestQp();
    const back = guest.back.qps.get(qp.handle)!;
    expectVerbsError(() => back.postSend({ wrId: 1, opcode: WrOpcode.SEND, sgList: [] }), 'EOPNOTSUPP', /post where/);
    expectVerbsError(() => back.postRecv({ wrId: 1, sgList: [] }), 'EOPNOTSUPP', /post where/);
    back.wrStart();
    back.wrSend();
    expectVerbsError(() => back.wrComplete(), 'EOPNOTSUPP');
    expectVerbsError(() => back.sendCq.poll(WorkCompletion.array(1)), 'EOPNOTSUPP');
    expectVerbsError(() => back.sendCq.reqNotify(), 'EOPNOTSUPP', /arm where/);
    expectVerbsError(() => back.sendCq.resize(100), 'EINVAL', /resizeCqOn/);
    const srq = guest.context.allocPd().createSrq({ attr: { maxWr: 4, maxSge: 1 } });
    expectVerbsError(
      () => guest.back.srqs.get(srq.handle)!.postRecv({ wrId: 1, sgList: [] }),
      'EOPNOTSUPP',
      /post where/,
    );
  });

  it('tells the context that made the queues of events, and of states that the device changed', () => {
    const { qp, cq } = guestQp();
    const mr = guestMr();
    const [backQp, backCq] = [guest.back.qps.get(qp.handle)!, guest.back.cqs.get(cq.handle)!];
    cq.reqNotify();
    native.qp.postRecv({ wrId: 1, sgList: [native.mr.sge(0, 200)] });
    qp.postSend({ wrId: 1, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList: [mr.sge(0, 4)] });
    expect(guest.back.channel.tryGetCqEvent()).to.equal(backCq);
    expect(guest.back.channel.tryGetCqEvent()).to.equal(null);
    backCq.ackEvents(1);
    qp.postSend({ wrId: 2, opcode: WrOpcode.SEND, sgList: [{ addr: 0, length: 4, lkey: 77 }] });
    expect([qp.state, backQp.state]).to.deep.equal([QpState.ERR, QpState.ERR]);
    expectVerbsError(() => backQp.modify({ qpState: QpState.RTS }), 'EINVAL');
  });

  it('resizes with what is unread and what is posted, and frees the former memory', () => {
    const { qp, cq } = guestQp();
    const mr = guestMr();
    for (let n = 0; n < 6; n++) {
      native.qp.postRecv({ wrId: n, sgList: [native.mr.sge(0, 200)] });
      qp.postSend({ wrId: n, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList: [mr.sge(0, 4)] });
    }
    const former = [...guest.back.buffers.values()][0];
    cq.resize(300);
    expect(cq.cqe).to.equal(512);
    expect(former.destroyed).to.equal(true);
    for (let n = 0; n < 6; n++) expectCompletion(cq, n);
    expectVerbsError(() => guest.back.cqs.get(cq.handle)!.resize(4), 'EINVAL', /resizeCqOn/);

    const pd = guest.context.allocPd();
    const srq = pd.createSrq({ attr: { maxWr: 4, maxSge: 1 } });
    const taker = pd.createQp({ qpType: QpType.RC, sendCq: cq, recvCq: cq, srq, cap: CAP });
    const peer = openNative(lower);
    connectPair(taker, peer.qp);
    const target = guestMr();
    srq.postRecv([1, 2, 3, 4].map((wrId) => ({ wrId, sgList: [target.sge(wrId * 10, 10)] })));
    srq.modify({ maxWr: 20 });
    srq.postRecv({ wrId: 5, sgList: [target.sge(50, 10)] });
    for (let n = 1; n <= 5; n++) {
      peer.mr.bytes[0] = n;
      peer.qp.postSend({ wrId: n, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList: [peer.mr.sge(0, 1)] });
      expectCompletion(cq, n);
      expect(target.bytes[n * 10]).to.equal(n);
    }
    srq.modify({ maxWr: 2 }); // in place
    expect(guest.back.srqs.get(srq.handle)!.maxWr).to.equal(2);
    expectVerbsError(() => guest.back.srqs.get(srq.handle)!.modify({ maxWr: 1000 }), 'EINVAL', /memory of another/);
  });

  it('drops doorbells that are rung on another UAR, and counts them', () => {
    const { qp } = guestQp();
    const other = openGuest(bed.machine, userDriver, lower);
    const { doorbellsDropped } = new EngineState(bed.engine);
    const before = doorbellsDropped;
    other.front.user.doorbell.ringSq(qp.qpNum);
    other.front.user.doorbell.ringRq(qp.qpNum);
    expect(new EngineState(bed.engine).doorbellsDropped).to.equal(before + 2);
    expect(qp.state).to.equal(QpState.RTS);
  });

  it('refuses user halves of UARs whose page was not given', () => {
    const handle = userHalfOf(guest.back.context);
    expect(structuredClone(handle)).to.deep.equal(handle);
    const other = userHalfOf(lower.open());
    const host = { machine: bed.machine, inlineSource: () => -1 };
    const forged = [
      { ...handle, driver: 'mlx5' },
      { ...handle, pages: other.pages },
      { ...handle, pages: [] },
      { ...handle, pages: [0] },
      { ...handle, words: other.words },
      { ...handle, words: [0, 0] },
      { ...handle, words: [-1, 0] },
      { ...handle, words: [2 ** 31, 0] },
      { ...handle, words: [handle.words[0], 5] },
      { ...handle, words: [] },
    ];
    for (const one of forged) expectVerbsError(() => userDriver.open(one, host), 'EINVAL');
    for (const machine of [undefined, {}, bed.machine.handle])
      expectVerbsError(() => userDriver.open(handle, { ...host, machine }), 'EINVAL', /machine/);
    userDriver.open(handle, host);
  });

  it('takes pages of the machine in one run, and no others', () => {
    const addr = allocPages(bed.machine, 4 * PAGE_BYTES);
    const pages = pagesOf(addr, 4 * PAGE_BYTES);
    const before = inventory();
    const wrong = [[], [...pages].reverse(), [pages[0], pages[2]], [0], [PAGE_BYTES], [addr + 64], [-4096], [2 ** 32]];
    for (const list of [...wrong, [NaN], [bed.machine.u8.length], [addr, undefined as unknown as number]]) {
      expectVerbsError(() => regQueueBuffer(guest.back.context, list), 'EINVAL', /page/);
      expect(inventory()).to.deep.equal(before);
    }
    expectVerbsError(() => regQueueBuffer(guest.back.context, null as unknown as number[]), 'EINVAL', /pages is null/);
    for (const list of [pages, Float64Array.from(pages)]) regQueueBuffer(guest.back.context, list).dereg();
    expect(inventory()).to.deep.equal(before);
  });

  it('refuses memory that is too small, of another context, in use, or gone', () => {
    const { context } = guest.back;
    const buffer = regQueueBuffer(context, pagesOf(allocPages(bed.machine, 4096), 4096));
    const before = inventory();
    expectVerbsError(() => createCqOn(buffer, { cqe: 64 }), 'EINVAL', /does not fit/);
    const other = lower.open();
    const cq = other.createCq({ cqe: 4 });
    const init = { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 1, maxRecvWr: 1 } };
    expectVerbsError(() => createQpOn(buffer, other.allocPd(), init), 'EINVAL', /of another context/);
    // The device looks for itself.
    const request = { cqe: 4, compVector: 0, timestamps: false, ignoreOverrun: false };
    expectVerbsError(() => directOf(other).createCq(buffer.key, request), 'EINVAL', /of another context/);
    expectVerbsError(() => directOf(other).deregQueueBuffer(buffer.key), 'EINVAL', /no queue buffer/);
    const pd = other.allocPd();
    const mr = pd.regMr(other.allocBuf(4096), 1);
    for (const key of [mr.lkey, 0, -1, 2 ** 31, 0.5, NaN])
      expectVerbsError(() => directOf(other).createCq(key, request), 'EINVAL');
    other[Symbol.dispose]();
    expect(inventory()).to.deep.equal(before);

    const here = createCqOn(buffer, { cqe: 4 });
    expect(buffer.children).to.deep.equal([here]);
    expectVerbsError(() => createCqOn(buffer, { cqe: 4 }), 'EBUSY', /holds CQ/);
    expectVerbsError(() => directOf(context).createCq(buffer.key, request), 'EBUSY', /another queue/);
    expectVerbsError(() => buffer.dereg(), 'EBUSY', /in use by CQ/);
    expectVerbsError(() => directOf(context).deregQueueBuffer(buffer.key), 'EBUSY', /holds the rings/);
    here.destroy();
    buffer.dereg();
    expectVerbsError(() => createCqOn(buffer, { cqe: 4 }), 'EINVAL', /already destroyed/);
  });

  it('refuses sizes that the memory does not hold, whoever computed them', () => {
    const { commands, uar, pd } = bed;
    const { key: bufferKey } = bed.ringKey(PAGE_BYTES);
    const cqn = bed.cq().number;
    const qp = { uar, pd, type: QpType.RC, sendCqn: cqn, recvCqn: cqn, maxSendWr: 1, maxRecvWr: 1 };
    const sizes = { sqLog2Count: 0, sqLog2Bytes: 6, rqLog2Count: 0, rqLog2Bytes: 5 };
    const limits = { maxSendSge: 1, maxRecvSge: 1, maxInline: 0 };
    const srq = { uar, pd, bufferKey, wqeLog2Bytes: 5, maxWr: 1, maxSge: 1 };
    const hostile: (() => unknown)[] = [7, 20, 31, 32, -1, 0.5, NaN].flatMap((log2Count) => [
      () => commands.cqs.create({ uar, bufferKey, log2Count }),
      () => commands.qps.create({ ...qp, bufferKey, ...sizes, ...limits, sqLog2Count: log2Count }),
      () => commands.qps.create({ ...qp, bufferKey, ...sizes, ...limits, rqLog2Count: log2Count }),
      () => commands.qps.create({ ...qp, bufferKey, ...sizes, ...limits, sqLog2Bytes: log2Count + 5 }),
      () => commands.srqs.create({ ...srq, log2Count }),
    ]);
    const before = inventory();
    for (const create of hostile) {
      expect(create, String(create)).to.throw(/fit|goes from|entries/);
      expect(inventory()).to.deep.equal(before);
    }
  });

  it('moves an SRQ to no smaller memory, whose slots completions would name', () => {
    const { commands, uar } = bed;
    const srq = bed.srq();
    const small = bed.ringKey(PAGE_BYTES);
    const ring = { bufferKey: small.key, log2Count: 0 };
    expect(() => commands.srqs.modify(srq.number, { maxWr: 1, ring })).to.throw(/log2Count is 0/);
    expect(uar).to.not.equal(0);
  });

  it('leaves nothing in flight once a QP was brought to ERR and destroyed', () => {
    const { qp, cq } = guestQp();
    const mr = guestMr();
    for (let n = 0; n < 4; n++) qp.postRecv({ wrId: n, sgList: [mr.sge(n * 16, 16)] });
    native.qp.postSend({
      wrId: 1,
      opcode: WrOpcode.SEND,
      sendFlags: SendFlags.SIGNALED,
      sgList: [native.mr.sge(0, 4)],
    });
    // Waits for a receive of the peer, which will never come.
    for (let n = 0; n < 4; n++) qp.postSend({ wrId: n, opcode: WrOpcode.SEND, sgList: [mr.sge(0, 4)] });
    const runs = [...guest.back.buffers.values()].map(({ key }) => runOf(bed, key));
    guest.back.qps.get(qp.handle)!.modify({ qpState: QpState.ERR });
    qp.destroy();
    cq.destroy();
    mr.dereg();
    expect(
      guest.back.context.children.map(({ label }) => label).filter((label) => label.includes('queue')),
    ).to.deep.equal([]);
    // The pages are somebody else's from here on.
    const bytes = [...runs, runOfView(mr.bytes)].map(({ addr, length }) =>
      bed.machine.u8.subarray(addr, addr + length),
    );
    for (const run of bytes) run.fill(0xaa);
    native.qp.postRecv({ wrId: 9, sgList: [native.mr.sge(0, 16)] });
    native.qp.postSend({
      wrId: 2,
      opcode: WrOpcode.SEND,
      sendFlags: SendFlags.SIGNALED,
      sgList: [native.mr.sge(0, 16)],
    });
    guest.front.user.doorbell.ringSq(qp.qpNum);
    bed.advance(60e9);
    for (const run of bytes) expect(run.every((byte) => byte === 0xaa)).to.equal(true);
    expect(native.qp.state).to.equal(QpState.ERR); // it found no peer
    audit(bed);
  });

  it('ends queues before their memory when the context is disposed of or closed', () => {
    const before = inventory();
    for (const end of [(context: Context) => context[Symbol.dispose](), () => hcaDevice.closeAll()]) {
      const used = openGuest(bed.machine, userDriver, lower);
      const pd = used.context.allocPd();
      const cq = used.context.createCq({ cqe: 100 });
      const srq = pd.createSrq({ attr: { maxWr: 10, maxSge: 1 } });
      pd.createQp({ qpType: QpType.RC, sendCq: cq, recvCq: cq, srq, cap: CAP });
      pd.createQp({ qpType: QpType.UD, sendCq: cq, recvCq: cq, cap: CAP });
      end(used.back.context);
      expect(bed.machine.pages.freeOwned(DOMAIN)).to.equal(4);
      audit(bed);
      if (end.length === 1) expect(inventory()).to.deep.equal(before);
    }
  });
});

/** A QP of the device itself, with memory. */
function openNative(device: Device): { context: Context; qp: QueuePair; cq: CompletionQueue; mr: MemoryRegion } {
  const context = device.open();
  const pd = context.allocPd();
  const cq = context.createCq({ cqe: 32 });
  const qp = pd.createQp({ qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 8, maxRecvWr: 8 } });
  return { context, qp, cq, mr: pd.regMr(context.allocBuf(4096), 0xf) };
}

function expectCompletion(cq: CompletionQueue, wrId: number): void {
  const wcs = WorkCompletion.array(4);
  expect(cq.poll(wcs, 1), 'completions').to.equal(1);
  expect([wcs[0].wrId, wcs[0].status]).to.deep.equal([wrId, WcStatus.SUCCESS]);
}

/** Where the region of a key lies. */
function runOf({ i32, hca }: Testbed, key: number): { addr: number; length: number } {
  const entry = hca.mptTable + (key >>> 8) * Mpt.WORDS;
  return { addr: i32[entry + Mpt.BASE] >>> 0, length: i32[entry + Mpt.LENGTH] >>> 0 };
}

function runOfView({ byteOffset, length }: Uint8Array): { addr: number; length: number } {
  return { addr: byteOffset, length };
}
