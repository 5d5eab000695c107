import { expect } from 'chai';
import type { ContextOps, CqOps, QpOps, QpRequest } from '../src/driver/device-ops.ts';
import type { CqCalls, QpCalls } from '../src/driver/data-path.ts';
import { Device } from '../src/device.ts';
import { MwType } from '../src/enums/mw.ts';
import { QpState, QpType } from '../src/enums/qp.ts';
import { SendFlags, WrOpcode } from '../src/enums/wr.ts';
import { RecvWr } from '../src/recv-wr.ts';
import { SendWr } from '../src/send-wr.ts';
import { WorkCompletion } from '../src/work-completion.ts';
import { FakeDispatcher } from './support/fake-dispatcher.ts';
import { errorOf, FakeContextOps } from './support/fake-provider.ts';

/** What a `calls` provider was given, copied, because the work requests are used again. */
interface Posted {
  readonly wrId: number;
  readonly opcode: number;
  readonly sendFlags: number;
  readonly remoteAddr: number | bigint;
  readonly rkey: number;
  readonly immData: number;
  readonly sges: readonly number[];
  readonly inline: readonly number[] | null;
}

/** A provider whose queues are JavaScript. */
class CallsOps extends FakeContextOps implements ContextOps {
  readonly sends: Posted[][] = [];
  readonly receives: number[] = [];
  readonly completed: number[] = [];
  armed: boolean | undefined;
  refuse = 0;
  badWrIndex: number | undefined;
  onSend: (wr: SendWr) => void = () => undefined;

  override createCq({ cqe }: { cqe: number }): CqOps {
    const dataPath: CqCalls = {
      kind: 'calls',
      poll: (wcs: WorkCompletion[], limit: number) => {
        if (this.refuse !== 0) return -this.refuse;
        const n = Math.min(limit, this.completed.length);
        for (let i = 0; i < n; i++) wcs[i].wrId = this.completed.shift()!;
        return n;
      },
      reqNotify: (solicitedOnly) => {
        this.armed = solicitedOnly;
      },
    };
    return { handle: 77, cqe, dataPath };
  }

  override createQp(request: QpRequest): QpOps {
    const dataPath: QpCalls = {
      kind: 'calls',
      badWrIndex: 0,
      postSend: (first) => {
        const chain: Posted[] = [];
        for (let wr: SendWr | null = first; wr !== null; wr = wr.next) {
          this.onSend(wr);
          const { wrId, opcode, sendFlags, remoteAddr, rkey, immData, inlineData } = wr;
          const sges = wr.sgList.flatMap(({ addr, length, lkey }) => [addr, length, lkey]);
          const inline = inlineData === null ? null : [...inlineData];
          chain.push({ wrId, opcode, sendFlags, remoteAddr, rkey, immData, sges, inline });
          this.completed.push(wrId);
        }
        this.sends.push(chain);
        dataPath.badWrIndex = this.refuse === 0 ? 0 : (this.badWrIndex ?? chain.length - 1);
        return this.refuse;
      },
      postRecv: (first) => {
        for (let wr: RecvWr | null = first; wr !== null; wr = wr.next) this.receives.push(wr.wrId);
        dataPath.badWrIndex = 0;
        return this.refuse;
      },
    };
    return { handle: 78, qpNum: 99, cap: request.cap, dataPath };
  }

  override modifyQp(): void {}
  override destroyQp(): void {}
  override destroyCq(): void {}
}

function openCalls() {
  const ops = new CallsOps();
  const supports = { rc: true, ud: true };
  const common = {
    name: 'calls0',
    guid: 1n,
    nodeType: 1,
    transportType: 0,
    capabilities: { version: 1 as const, supports },
  };
  const context = new Device({ ...common, open: () => ops }, 'calls', new FakeDispatcher()).open();
  const cq = context.createCq({ cqe: 16 });
  const cap = { maxSendWr: 4, maxRecvWr: 4, maxInlineData: 16 };
  const qp = context.allocPd().createQp({ sendCq: cq, recvCq: cq, cap, qpType: QpType.RC });
  return { ops, context, cq, qp, wcs: WorkCompletion.array(8) };
}

describe('a data path of calls', () => {
  it('makes one call a post and one a poll', () => {
    const { ops, cq, qp, wcs } = openCalls();
    qp.toRts(qp.endpoint());
    expect(qp.state).to.equal(QpState.RTS);
    qp.postSend([{ wrId: 1 }, { wrId: 2 }]);
    qp.postRecv([{ wrId: 3 }, { wrId: 4 }]);
    expect(ops.sends.map((chain) => chain.map(({ wrId }) => wrId))).to.deep.equal([[1, 2]]);
    expect(ops.receives).to.deep.equal([3, 4]);
    expect(errorOf(() => cq.poll([{} as never]))).to.include({ code: 'EINVAL', verb: 'ibv_poll_cq' });
    expect(errorOf(() => cq.poll([{} as never, wcs[0]])).code).to.equal('EINVAL');
    expect(cq.poll(wcs)).to.equal(2);
    expect(wcs[1].wrId).to.equal(2);
    cq.reqNotify(true);
    expect(ops.armed).to.equal(true);
    expect(errorOf(() => cq.reqNotifyReportMissed())).to.include({ code: 'EOPNOTSUPP', verb: 'ib_req_notify_cq' });
    qp.modify({ qpState: QpState.RESET });
    qp.destroy();
    cq.destroy();
  });

  it('hands over atomic writes and flushes of the extended form', () => {
    const { ops, qp } = openCalls();
    qp.toRts(qp.endpoint());
    const flushes: number[][] = [];
    ops.onSend = ({ flushLength, flushType, flushLevel }) => void flushes.push([flushLength, flushType, flushLevel]);
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0xf8);
    qp.wrStart();
    qp.wrAtomicWrite(5, 16, bytes);
    qp.wrFlush(6, 24, 0xfffffff0, 3, 1);
    qp.wrSend();
    qp.wrComplete();
    const [atomicWrite, flush, send] = ops.sends[0];
    expect(atomicWrite).to.include({
      opcode: WrOpcode.ATOMIC_WRITE,
      rkey: 5,
      remoteAddr: 16,
      sendFlags: SendFlags.INLINE,
    });
    expect(atomicWrite.inline).to.deep.equal([...bytes]);
    expect(flush).to.include({ opcode: WrOpcode.FLUSH, rkey: 6, remoteAddr: 24, sendFlags: 0, inline: null });
    expect(flushes).to.deep.equal([
      [0, 0, 0],
      [0xfffffff0, 3, 1],
      [0, 0, 0],
    ]);
    expect(send).to.include({ opcode: WrOpcode.SEND, inline: null, sendFlags: 0 });
    for (const build of [() => qp.wrAtomicWrite(5, 16, bytes), () => qp.wrFlush(6, 24, 8, 1, 0)]) {
      qp.wrStart();
      build();
      qp.wrSetSge(1, 2, 3);
      expect(errorOf(() => qp.wrComplete()).code).to.equal('EINVAL');
    }
  });

  it('posts what comes before an address handle or a window of another protection domain', () => {
    const { ops, qp, context } = openCalls();
    qp.toRts(qp.endpoint());
    const foreign = context.allocPd().createAh({ grh: { dgid: 'fe80::1' } });
    const [last, bad] = [new SendWr({ wrId: 3 }), new SendWr({ wrId: 2, ah: foreign })];
    bad.next = last;
    const first = new SendWr({ wrId: 1, next: bad });
    const sent: number[] = [];
    ops.onSend = ({ wrId }) => sent.push(wrId);
    const error = errorOf(() => qp.postSend(first));
    expect(error.details).to.deep.equal({ badWrIndex: 1 });
    expect(error.message).to.contain(`${foreign.label} is of ${foreign.pd.label}`).and.contain(qp.label);
    expect([sent, first.next]).to.deep.equal([[1], bad]);
    expect(errorOf(() => qp.postSend(bad)).details).to.deep.equal({ badWrIndex: 0 });
    const mw = foreign.pd.allocMw(MwType.TYPE_2);
    const bindMw = { mw, rkey: 1, mr: null, addr: 0, length: 0, access: 0 };
    expect(errorOf(() => qp.postSend({ opcode: WrOpcode.BIND_MW, bindMw })).message).to.contain(`${mw.label} is of`);
    expect(sent).to.deep.equal([1]);
  });

  it('refuses what the state does not take', () => {
    const { qp } = openCalls();
    expect(errorOf(() => qp.postSend({})).message).to.contain('a QP in RESET takes no sends');
    expect(errorOf(() => qp.postRecv({})).message).to.contain('a QP in RESET takes no receives');
  });

  it('turns error numbers into errors', () => {
    const { ops, cq, qp, wcs } = openCalls();
    qp.toRts(qp.endpoint());
    ops.refuse = 12;
    const error = errorOf(() => qp.postSend([{}, {}, {}]));
    expect(error).to.include({ code: 'ENOMEM' });
    expect(error.details).to.deep.equal({ badWrIndex: 2 });
    expect(errorOf(() => qp.postRecv({})).code).to.equal('ENOMEM');
    ops.refuse = 5;
    expect(errorOf(() => cq.poll(wcs))).to.include({ code: 'EIO', verb: 'ibv_poll_cq' });
  });

  it('builds the extended form in work requests of its own', () => {
    const { ops, qp } = openCalls();
    qp.toRts(qp.endpoint());
    const data = Uint8Array.of(1, 2, 3);
    for (let round = 0; round < 2; round++) {
      qp.wrStart();
      qp.wrId = 2 ** 40;
      qp.wrFlags = SendFlags.SIGNALED;
      qp.wrRdmaWriteImm(5, 2 ** 40 + 1, 0xffffffff);
      qp.wrSetSge(7, 2 ** 41, 8);
      qp.wrSend();
      qp.wrSetInlineData(data);
      data[0] = 1 + round;
      qp.wrAtomicCmpSwp(5, 8, 1n, 2n);
      qp.wrSetSgeList([{ addr: 1, length: 8, lkey: 2 }]);
      qp.wrSetRemoteAddr(-16, -1);
      qp.wrComplete();
    }
    const [write, send, atomic] = ops.sends[1];
    const { SIGNALED, INLINE } = SendFlags;
    expect(write).to.deep.include({
      wrId: 2 ** 40,
      opcode: WrOpcode.RDMA_WRITE_WITH_IMM,
      sendFlags: SIGNALED,
      rkey: 5,
    });
    expect(write).to.deep.include({
      remoteAddr: 2 ** 40 + 1,
      immData: 0xffffffff,
      sges: [2 ** 41, 8, 7],
      inline: null,
    });
    expect(send).to.deep.include({ opcode: WrOpcode.SEND, sendFlags: SIGNALED | INLINE, sges: [], inline: [1, 2, 3] });
    expect(atomic).to.deep.include({
      opcode: WrOpcode.ATOMIC_CMP_AND_SWP,
      sges: [1, 8, 2],
      remoteAddr: 2n ** 64n - 16n,
    });
    expect(ops.sends[1]).to.have.length(3);
  });

  it('hands on what only datagrams, XRC and invalidation have', () => {
    const { ops, qp } = openCalls();
    qp.toRts(qp.endpoint());
    const ah = qp.pd.createAh({ grh: { dgid: 'fe80::1' } });
    let seen: Partial<SendWr>[] = [];
    ops.onSend = (wr) => seen.push({ ah: wr.ah, remoteQpn: wr.remoteQpn, remoteQkey: wr.remoteQkey });
    qp.wrStart();
    qp.wrSend();
    qp.wrSetUdAddr(ah, 5, 0xffffffff);
    qp.wrComplete();
    expect(seen).to.deep.equal([{ ah, remoteQpn: 5, remoteQkey: 0xffffffff }]);
    seen = [];
    ops.onSend = (wr) =>
      seen.push({ invalidateRkey: wr.invalidateRkey, remoteSrqn: wr.remoteSrqn, immData: wr.immData });
    qp.wrStart();
    qp.wrSendInv(0x80000000);
    qp.wrSetXrcSrqn(6);
    qp.wrSendImm(7);
    qp.wrComplete();
    expect(seen[0]).to.include({ invalidateRkey: 0x80000000, remoteSrqn: 6 });
    expect(seen[1]).to.include({ immData: 7 });
    for (const setter of [
      () => qp.wrSetUdAddr(ah, 1, 1),
      () => qp.wrSetXrcSrqn(1),
      () => qp.wrSetRemoteAddr(1, 1),
      () => qp.wrSetSgeList([]),
      () => qp.wrSetInlineData(new Uint8Array(1)),
    ]) {
      qp.wrStart();
      setter();
      expect(errorOf(() => qp.wrComplete()).code).to.equal('EINVAL');
    }
  });

  it('reports misuse of the extended form at its end', () => {
    const { ops, qp } = openCalls();
    qp.wrStart();
    qp.wrSend();
    expect(errorOf(() => qp.wrComplete()).message).to.contain('a QP in RESET takes no sends');
    qp.toRts(qp.endpoint());
    expect(errorOf(() => (qp.wrSend(), qp.wrComplete())).code).to.equal('EINVAL');
    expect(errorOf(() => (qp.wrStart(), qp.wrSetSge(1, 1, 1), qp.wrSend(), qp.wrComplete())).code).to.equal('EINVAL');
    qp.wrStart();
    for (let i = 0; i < 5; i++) qp.wrSend();
    const full = errorOf(() => qp.wrComplete());
    expect(full).to.include({ code: 'ENOMEM' });
    expect(full.details).to.deep.equal({ badWrIndex: 4 });
    qp.wrStart();
    qp.wrSend();
    expect(errorOf(() => qp.postSend({})).message).to.contain('wrStart was called');
    qp.wrAbort();
    expect(ops.sends).to.have.length(0);
    qp.postSend(new SendWr());
    qp.postRecv(new RecvWr());
    expect(ops.sends).to.have.length(1);
  });

  it('explains the work request that the provider refused, not the last one', () => {
    const { ops, qp } = openCalls();
    qp.toRts(qp.endpoint());
    ops.refuse = 22;
    ops.badWrIndex = 1;
    qp.wrStart();
    qp.wrSend();
    qp.wrAtomicFetchAdd(1, 8, 1n);
    qp.wrSend();
    const error = errorOf(() => qp.wrComplete());
    expect(error.details).to.deep.equal({ badWrIndex: 1 });
    expect(error.message).to.contain('work request 1: an atomic operation has one SGE, not 0');
  });

  it('refuses inline data that is too long before the provider sees the list', () => {
    const { ops, qp } = openCalls();
    qp.toRts(qp.endpoint());
    qp.wrStart();
    qp.wrSend();
    qp.wrSend();
    qp.wrSetInlineData(new Uint8Array(17));
    const error = errorOf(() => qp.wrComplete());
    expect(error.message).to.contain('17 bytes of inline data; the limit is 16 (cap.maxInlineData)');
    expect(error.details).to.deep.equal({ badWrIndex: 1 });
    expect(ops.sends).to.have.length(0);
  });
});
