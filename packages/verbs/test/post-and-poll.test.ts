import { expect } from 'chai';
import fc from 'fast-check';
import { QpState, QpType } from '../src/enums/qp.ts';
import { WcFlags, WcOpcode, WcStatus } from '../src/enums/wc.ts';
import { SendFlags, WrOpcode } from '../src/enums/wr.ts';
import { RecvWr } from '../src/recv-wr.ts';
import { QP_STATE_STARVED, SendWqe, SgeWords } from '../src/rings/layout.ts';
import { SendWr } from '../src/send-wr.ts';
import { Sge } from '../src/sge.ts';
import { openConnected } from './support/connected.ts';
import { errorOf, openFake } from './support/fake-provider.ts';
import { setQpState } from './support/fake-rings.ts';

const { SIGNALED, INLINE } = SendFlags;

describe('posting and polling over rings', () => {
  it('does each operation', () => {
    const { a, b, mr, buffer, cq, wcs } = openConnected();
    const { bytes } = buffer;
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const u64 = (at: number): bigint => words.getBigUint64(at, true);
    bytes.set([1, 2, 3, 4, 5, 6, 7, 8]);
    const common = { sendFlags: SIGNALED, rkey: mr.rkey, remoteAddr: mr.addr + 64, sgList: [mr.sge(0, 8)] };

    a.postSend(new SendWr({ ...common, wrId: 1, opcode: WrOpcode.RDMA_WRITE }));
    expect([...bytes.subarray(64, 72)]).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
    a.postSend(new SendWr({ ...common, wrId: 2, opcode: WrOpcode.RDMA_READ, sgList: [mr.sge(128, 8)] }));
    expect([...bytes.subarray(128, 136)]).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
    const old = u64(64);
    const add = 2n ** 63n + 5n;
    a.postSend(new SendWr({ ...common, wrId: 3, opcode: WrOpcode.ATOMIC_FETCH_AND_ADD, compareAdd: add }));
    expect(u64(64)).to.equal(BigInt.asUintN(64, old + add));
    expect(u64(0)).to.equal(old);
    const swap = 0xfedc_ba98_7654_3210n;
    a.postSend(new SendWr({ ...common, wrId: 4, opcode: WrOpcode.ATOMIC_CMP_AND_SWP, compareAdd: u64(64), swap }));
    expect(u64(64)).to.equal(swap);

    expect(cq.poll(wcs)).to.equal(4);
    expect(wcs.slice(0, 4).map(({ wrId, opcode, status, qpNum }) => [wrId, opcode, status, qpNum])).to.deep.equal([
      [1, WcOpcode.RDMA_WRITE, WcStatus.SUCCESS, a.qpNum],
      [2, WcOpcode.RDMA_READ, WcStatus.SUCCESS, a.qpNum],
      [3, WcOpcode.FETCH_ADD, WcStatus.SUCCESS, a.qpNum],
      [4, WcOpcode.COMP_SWAP, WcStatus.SUCCESS, a.qpNum],
    ]);
    expect(b.state).to.equal(QpState.RTS);
  });

  it('scatters a gathered message, with immediate data', () => {
    const { a, b, mr, buffer, cq, wcs } = openConnected();
    buffer.bytes.set([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    b.postRecv(new RecvWr({ wrId: 2 ** 40, sgList: [mr.sge(100, 4), mr.sge(200, 100)] }));
    const sgList = [mr.sge(6, 3), mr.sge(0, 0), mr.sge(0, 3)];
    a.postSend(
      new SendWr({ wrId: 9, opcode: WrOpcode.SEND_WITH_IMM, immData: 0xfedcba98, sgList, sendFlags: SIGNALED }),
    );
    expect(cq.poll(wcs)).to.equal(2);
    const recv = wcs[0];
    expect(recv).to.include({ wrId: 2 ** 40, opcode: WcOpcode.RECV, byteLen: 6, immData: 0xfedcba98, qpNum: b.qpNum });
    expect(recv).to.include({ wcFlags: WcFlags.WITH_IMM, srcQp: a.qpNum });
    expect(wcs[1]).to.include({ wrId: 9, opcode: WcOpcode.SEND });
    expect([...buffer.bytes.subarray(100, 104), ...buffer.bytes.subarray(200, 202)]).to.deep.equal([7, 8, 9, 1, 2, 3]);
  });

  it('tells of a key that was invalidated', () => {
    const { a, b, cq, wcs } = openConnected();
    b.postRecv({});
    a.postSend({ opcode: WrOpcode.SEND_WITH_INV, invalidateRkey: 0x80000001 });
    expect(cq.poll(wcs)).to.equal(1);
    expect(wcs[0].wcFlags).to.equal(WcFlags.WITH_INV);
    expect(wcs[0].invalidatedRkey).to.equal(0x80000001);
  });

  it('keeps wide numbers whole', () => {
    const { a, cq, wcs, ops } = openConnected();
    const addr = 0x1f_ffff_ffff_fff0; // close to 2^53
    const sgList = [new Sge(addr, 0xffffffff, 0xfffffffe)];
    ops.device.paused = true;
    const wr = new SendWr({
      wrId: 2 ** 53 - 1,
      opcode: WrOpcode.RDMA_WRITE,
      sgList,
      rkey: 0xfffffffd,
      sendFlags: SIGNALED,
    });
    wr.remoteAddr = 0xffff_ffff_ffff_fff0n;
    a.postSend(wr);
    const { rings } = ops.qps.get(a.handle)!;
    const wqe = rings.i32.subarray(rings.sqAddr >>> 2, (rings.sqAddr >>> 2) + 16);
    const at = (word: number): number => wqe[word] >>> 0;
    expect(at(SendWqe.RKEY)).to.equal(0xfffffffd);
    expect([at(SendWqe.REMOTE_ADDR_LO), at(SendWqe.REMOTE_ADDR_HI)]).to.deep.equal([0xfffffff0, 0xffffffff]);
    expect(at(SendWqe.SGE + SgeWords.ADDR_LO)).to.equal(0xfffffff0);
    expect(at(SendWqe.SGE + SgeWords.ADDR_HI)).to.equal(0x1fffff);
    expect(at(SendWqe.SGE + SgeWords.LENGTH)).to.equal(0xffffffff);
    expect(at(SendWqe.SGE + SgeWords.LKEY)).to.equal(0xfffffffe);
    expect(at(SendWqe.FLAGS)).to.equal(SIGNALED | (1 << 8));
    ops.cqs.get(cq.handle)!.complete({ QPN: a.qpNum, WQE_INDEX: 0 });
    expect(cq.poll(wcs)).to.equal(1);
    expect(wcs[0].wrId).to.equal(2 ** 53 - 1);
  });

  it('keeps order and wrIds over many laps, whatever is signaled', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 9 }),
        (flags, depth) => {
          const { a, cq, wcs, context } = openConnected({ depth, cqe: 8 });
          const expected: number[] = [];
          const seen: number[] = [];
          let unsignaled = 0;
          for (const [i, flag] of flags.entries()) {
            const signaled = flag || unsignaled === depth - 1;
            unsignaled = signaled ? 0 : unsignaled + 1;
            a.postSend({ wrId: i * 2 ** 30, opcode: WrOpcode.RDMA_WRITE, sendFlags: signaled ? SIGNALED : 0 });
            if (!signaled) continue;
            expected.push(i * 2 ** 30);
            const n = cq.poll(wcs, 3);
            for (let k = 0; k < n; k++) seen.push(wcs[k].wrId);
          }
          expect(seen).to.deep.equal(expected);
          context[Symbol.dispose]();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('works on when the free-running counts pass 2^31 and 2^32', () => {
    const { a, cq, fakeCq, ops, wcs } = openConnected();
    const path = (a as unknown as { sendPath: { head: number; slots: { tail: number } } }).sendPath;
    const ring = (cq as unknown as { path: { consumer: number } }).path;
    for (const start of [0x7ffffffc, -4]) {
      path.head = path.slots.tail = ops.qps.get(a.handle)!.sqDone = start;
      ring.consumer = fakeCq.producer = start;
      Atomics.store(fakeCq.rings.i32, fakeCq.recordWord, start);
      fakeCq.rings.i32.fill(0, fakeCq.rings.cqAddr >>> 2, (fakeCq.rings.cqAddr >>> 2) + 64 * 16); // of the lap before
      for (let i = 0; i < 10; i++) {
        a.postSend({ wrId: i, opcode: WrOpcode.RDMA_WRITE, sendFlags: SIGNALED });
        expect(cq.poll(wcs)).to.equal(1);
        expect(wcs[0].wrId).to.equal(i);
      }
      expect(fakeCq.consumer).to.equal((start + 10) | 0);
    }
  });

  it('makes every request signaled when sqSigAll is set', () => {
    const { a, cq, wcs } = openConnected({ sqSigAll: true });
    a.postSend({ opcode: WrOpcode.RDMA_WRITE });
    a.wrStart();
    a.wrRdmaWrite(0, 0);
    a.wrComplete();
    expect(cq.poll(wcs)).to.equal(2);
  });

  it('copies inline data, from SGEs and from any memory', () => {
    const { a, mr, buffer, ops } = openConnected();
    buffer.bytes.set(Array.from({ length: 100 }, (_, i) => i));
    const common = { opcode: WrOpcode.RDMA_WRITE, sendFlags: INLINE, remoteAddr: mr.addr + 1000 };
    const written = (n: number): number[] => [...buffer.bytes.subarray(1000, 1000 + n)];
    a.postSend({ ...common, sgList: [{ ...mr.sge(10, 3), lkey: 0 }, mr.sge(0, 0), mr.sge(1, 70)] });
    expect(written(73)).to.deep.equal([10, 11, 12, ...Array.from({ length: 70 }, (_, i) => i + 1)]);
    a.postSend({ ...common, inlineData: Uint8Array.of(9, 8, 7) });
    expect(written(4)).to.deep.equal([9, 8, 7, 1]);
    a.postSend({ ...common, inlineData: new Uint8Array(80).fill(5) });
    const { sendFlags } = new SendWr({ inlineData: Uint8Array.of(1) });
    expect(sendFlags, 'implied').to.equal(SendFlags.INLINE);
    const unflagged = new SendWr({ opcode: WrOpcode.SEND });
    unflagged.inlineData = Uint8Array.of(1);
    expect(errorOf(() => a.postSend(unflagged)).hint).to.equal('add SendFlags.INLINE');
    const words = errorOf(() => new SendWr({ inlineData: new Uint16Array(1) as unknown as Uint8Array }));
    expect(words.hint).to.equal('give a Uint8Array');
    expect(written(81)).to.deep.equal([...new Array<number>(80).fill(5), 0]);
    expect(ops.device.executed.at(-1)![SendWqe.FLAGS]).to.equal(INLINE);
    expect(errorOf(() => a.postSend({ ...common, inlineData: new Uint8Array(81) })).message).to.contain(
      '81 bytes of inline data; the limit is 80 (cap.maxInlineData)',
    );
    expect(errorOf(() => a.postSend({ ...common, sgList: [mr.sge(0, 80), mr.sge(0, 1)] })).code).to.equal('EINVAL');
    const stray = errorOf(() => a.postSend({ ...common, sgList: [new Sge(16, 8)] }));
    expect(stray).to.include({ code: 'EFAULT', hint: 'give it as inlineData' });
    const read = errorOf(() => a.postSend({ ...common, opcode: WrOpcode.RDMA_READ, inlineData: new Uint8Array(1) }));
    expect(read.message).to.contain('opcode RDMA_READ is not one that this RC QP can do inline');
  });

  it('copies the SGEs of objects in a list', () => {
    const { a, b, mr, buffer, cq, wcs } = openConnected();
    buffer.bytes.set([1, 2, 3, 4]);
    b.postRecv([new RecvWr({ wrId: 7, sgList: [mr.sge(100, 1), mr.sge(200, 3)] }), { wrId: 8 }]);
    a.postSend([new SendWr({ sgList: [mr.sge(2, 2), mr.sge(0, 2)] }), new SendWr()]);
    expect(cq.poll(wcs)).to.equal(2);
    expect([wcs[0].wrId, wcs[1].wrId]).to.deep.equal([7, 8]);
    expect([buffer.bytes[100], ...buffer.bytes.subarray(200, 203)]).to.deep.equal([3, 4, 1, 2]);
    const chained = new RecvWr({ next: {} });
    expect(errorOf(() => b.postRecv([chained])).hint).to.equal('post a list or a chain');
  });

  it('rings the doorbell once for a chain and once for a list', () => {
    const { a, cq, wcs, ops } = openConnected();
    const wr = (wrId: number): SendWr => new SendWr({ wrId, opcode: WrOpcode.RDMA_WRITE, sendFlags: SIGNALED });
    const [first, second, third] = [wr(1), wr(2), wr(3)];
    first.next = second;
    second.next = third;
    a.postSend(first);
    expect(ops.device.sqRings).to.equal(1);
    a.postSend([third, { wrId: 4, opcode: WrOpcode.RDMA_WRITE, sendFlags: SIGNALED }]);
    expect(ops.device.sqRings).to.equal(2);
    expect(third.next).to.equal(null);
    a.postSend([]);
    expect(ops.device.sqRings).to.equal(2);
    expect(cq.poll(wcs)).to.equal(5);
    expect(wcs.slice(0, 5).map(({ wrId }) => wrId)).to.deep.equal([1, 2, 3, 3, 4]);
    expect(errorOf(() => a.postSend([first, third])).hint).to.equal('post a list or a chain');
  });
});

describe('datagrams', () => {
  it('carry the address handle, the QPN and the Q_Key', () => {
    const { a, b, pd, mr, ops } = openConnected({ qpType: QpType.UD });
    const ah = pd.createAh({ grh: { dgid: 'fe80::2' } });
    ops.qps.get(a.handle)!.destQpNum = b.qpNum;
    for (let i = 0; i < 2; i++) b.postRecv({ sgList: [mr.sge()] });
    a.postSend({ ah, remoteQpn: 0xabcdef, remoteQkey: 0x91111111, sgList: [mr.sge(0, 8)] });
    a.wrStart();
    a.wrSend();
    a.wrSetUdAddr(ah, 0xabcdef, 0x91111111);
    a.wrSetSge(mr.lkey, mr.addr, 8);
    a.wrComplete();
    for (const wqe of ops.device.executed) {
      expect(wqe[SendWqe.RKEY] >>> 0).to.equal(0x91111111);
      expect(wqe[SendWqe.REMOTE_ADDR_LO]).to.equal(ah.handle);
      expect(wqe[SendWqe.REMOTE_ADDR_HI]).to.equal(0xabcdef);
    }
    expect(ops.device.executed).to.have.length(2);
    a.wrStart();
    a.wrSend();
    expect(errorOf(() => a.wrComplete()).code).to.equal('EINVAL');
    expect(errorOf(() => a.postSend({})).message).to.contain('a datagram needs an address handle');
    ah.destroy();
    expect(errorOf(() => a.postSend({ ah })).message).to.contain('that lives');
  });
});

describe('XRC', () => {
  it('names the SRQ of the peer', () => {
    const { context, ops } = openFake({ supports: ['xrc'] });
    const cq = context.createCq({ cqe: 4 });
    const init = { sendCq: cq, recvCq: cq, cap: { maxSendWr: 4 }, qpType: QpType.XRC_SEND };
    const qp = context.allocPd().createQp(init);
    qp.toRts(qp.endpoint());
    qp.postSend({ opcode: WrOpcode.RDMA_WRITE, remoteSrqn: 0xabcdef, remoteAddr: 8 });
    qp.wrStart();
    qp.wrRdmaWrite(0, 8);
    qp.wrSetXrcSrqn(0xabcdef);
    qp.wrComplete();
    expect(ops.device.executed).to.have.length(2);
    for (const wqe of ops.device.executed) {
      expect([wqe[SendWqe.REMOTE_SRQN], wqe[SendWqe.REMOTE_ADDR_LO]]).to.deep.equal([0xabcdef, 8]);
    }
    qp.wrStart();
    qp.wrSetXrcSrqn(1);
    expect(errorOf(() => qp.wrComplete()).code).to.equal('EINVAL');
  });
});

describe('the error state', () => {
  it('has receives flushed that are posted afterwards', () => {
    const { a, b, cq, wcs, ops } = openConnected();
    b.postRecv({ wrId: 1 });
    b.modify({ qpState: QpState.ERR });
    expect(ops.device.rqRings).to.equal(0);
    b.postRecv({ wrId: 2 });
    expect(ops.device.rqRings).to.equal(1);
    a.modify({ qpState: QpState.ERR });
    a.postSend({ wrId: 3 });
    expect(cq.poll(wcs)).to.equal(3);
    for (let i = 0; i < 3; i++) expect(wcs[i]).to.include({ wrId: i + 1, status: WcStatus.WR_FLUSH_ERR });
  });

  it('has them flushed too when the device went there by itself', () => {
    const { b, ops } = openConnected();
    setQpState(ops.qps.get(b.handle)!.rings, QpState.ERR);
    b.postRecv({});
    expect(ops.device.rqRings).to.equal(1);
  });
});

describe('a receive queue whose peer was told that it is empty', () => {
  it('rings a doorbell with the next receive, and shows its state as ever', () => {
    const { b, ops } = openConnected();
    const { rings } = ops.qps.get(b.handle)!;
    ops.device.paused = true;
    setQpState(rings, QpState.RTS | QP_STATE_STARVED);
    expect(b.state).to.equal(QpState.RTS);
    b.postRecv({});
    expect(ops.device.rqRings).to.equal(1);
    setQpState(rings, QpState.RTS);
    b.postRecv({});
    expect(ops.device.rqRings).to.equal(1);
  });
});
