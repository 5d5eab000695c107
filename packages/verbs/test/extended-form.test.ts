import { expect } from 'chai';
import { QpState } from '../src/enums/qp.ts';
import { WcOpcode } from '../src/enums/wc.ts';
import { SendFlags, WrOpcode } from '../src/enums/wr.ts';
import { SendWr, type SendWrInit } from '../src/send-wr.ts';
import { SendWqe } from '../src/rings/layout.ts';
import { type Connected, openConnected } from './support/connected.ts';
import { errorOf } from './support/fake-provider.ts';

const { SIGNALED, INLINE } = SendFlags;

/** The words of the last WQE that was executed, without those that nobody reads. */
function lastWqe({ ops }: Connected): number[] {
  const wqe = [...ops.device.executed.at(-1)!];
  const inline = (wqe[SendWqe.FLAGS] & INLINE) !== 0;
  const sges = wqe[SendWqe.FLAGS] >>> 8;
  const end = inline ? SendWqe.SGE + Math.ceil(wqe[SendWqe.INLINE_LENGTH] / 4) : SendWqe.SGE + 4 * sges;
  const atomic =
    wqe[SendWqe.OPCODE] === WrOpcode.ATOMIC_CMP_AND_SWP || wqe[SendWqe.OPCODE] === WrOpcode.ATOMIC_FETCH_AND_ADD;
  if (!inline) wqe[SendWqe.INLINE_LENGTH] = 0;
  return wqe.slice(0, atomic ? 16 : end);
}

describe('the extended form', () => {
  it('writes the same WQEs as postSend', () => {
    const connected = openConnected({ depth: 64 });
    const { a, b, mr } = connected;
    const [rkey, addr] = [mr.rkey, mr.addr + 512];
    const remote = { rkey, remoteAddr: addr };
    const data = Uint8Array.of(1, 2, 3, 4);
    const cases: [() => void, SendWrInit][] = [
      [() => a.wrSend(), { opcode: WrOpcode.SEND }],
      [() => a.wrSendImm(0xfedcba98), { opcode: WrOpcode.SEND_WITH_IMM, immData: 0xfedcba98 }],
      [() => a.wrSendInv(0x80000001), { opcode: WrOpcode.SEND_WITH_INV, invalidateRkey: 0x80000001 }],
      [() => a.wrRdmaWrite(rkey, addr), { ...remote, opcode: WrOpcode.RDMA_WRITE }],
      [() => a.wrRdmaWriteImm(rkey, addr, 7), { ...remote, opcode: WrOpcode.RDMA_WRITE_WITH_IMM, immData: 7 }],
      [() => a.wrRdmaRead(rkey, addr), { ...remote, opcode: WrOpcode.RDMA_READ }],
      [
        () => a.wrAtomicCmpSwp(rkey, addr, 2n ** 63n, 2n ** 64n - 1n),
        { ...remote, opcode: WrOpcode.ATOMIC_CMP_AND_SWP, compareAdd: 2n ** 63n, swap: 2n ** 64n - 1n },
      ],
      [() => a.wrAtomicFetchAdd(rkey, addr, 5n), { ...remote, opcode: WrOpcode.ATOMIC_FETCH_AND_ADD, compareAdd: 5n }],
      [() => a.wrLocalInv(9), { opcode: WrOpcode.LOCAL_INV, invalidateRkey: 9 }],
    ];
    const setters: [(opcode: number) => boolean, () => void, SendWrInit][] = [
      [() => true, () => a.wrSetSge(mr.lkey, mr.addr, 8), { sgList: [mr.sge(0, 8)] }],
      [
        (opcode) => opcode !== WrOpcode.ATOMIC_CMP_AND_SWP && opcode !== WrOpcode.ATOMIC_FETCH_AND_ADD,
        () => a.wrSetSgeList([mr.sge(0, 8), mr.sge(8, 8)]),
        { sgList: [mr.sge(0, 8), mr.sge(8, 8)] },
      ],
      [
        (opcode) => [WrOpcode.SEND, WrOpcode.SEND_WITH_IMM, WrOpcode.RDMA_WRITE].includes(opcode as 0),
        () => a.wrSetInlineData(data),
        { inlineData: data, sendFlags: SIGNALED | INLINE },
      ],
      [
        (opcode) => [WrOpcode.SEND, WrOpcode.SEND_WITH_IMM, WrOpcode.RDMA_WRITE].includes(opcode as 0),
        () => a.wrSetInlineDataList([data.subarray(0, 1), new Uint8Array(0), data.subarray(1)]),
        { inlineData: data, sendFlags: SIGNALED | INLINE },
      ],
    ];
    for (const [operation, init] of cases) {
      for (const [allowed, setter, more] of setters) {
        if (!allowed(init.opcode!)) continue;
        for (let i = 0; i < 2; i++) b.postRecv({ sgList: [mr.sge(1024)] });
        a.postSend(new SendWr({ sendFlags: SIGNALED, ...init, ...more }));
        const expected = lastWqe(connected);
        a.wrStart();
        a.wrId = 5;
        a.wrFlags = SIGNALED;
        operation();
        setter();
        a.wrComplete();
        expect(
          lastWqe(connected),
          JSON.stringify(init, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v)),
        ).to.deep.equal(expected);
        while (connected.cq.poll(connected.wcs) > 0);
      }
    }
  });

  it('posts several with one doorbell, each with its own wrId and flags', () => {
    const { a, mr, ops, cq, wcs } = openConnected();
    a.wrStart();
    for (let i = 0; i < 4; i++) {
      a.wrId = 2 ** 40 + i;
      a.wrFlags = i % 2 === 0 ? SIGNALED : 0;
      a.wrRdmaWrite(mr.rkey, mr.addr);
      a.wrSetSge(mr.lkey, mr.addr, 8);
    }
    expect(ops.device.sqRings).to.equal(0);
    a.wrComplete();
    expect(ops.device.sqRings).to.equal(1);
    expect(cq.poll(wcs)).to.equal(2);
    expect([wcs[0].wrId, wcs[1].wrId]).to.deep.equal([2 ** 40, 2 ** 40 + 2]);
    expect(wcs[0].opcode).to.equal(WcOpcode.RDMA_WRITE);
  });

  it('sets all 64 bits of a remote address', () => {
    const { a, ops } = openConnected();
    a.wrStart();
    a.wrRdmaWrite(1, 2 ** 53 - 1);
    a.wrComplete();
    a.wrStart();
    a.wrRdmaWrite(1, 0);
    a.wrSetRemoteAddr(0xfffffff0, 0xfffffffe);
    a.wrComplete();
    const words = ops.device.executed.map((wqe) => [
      wqe[SendWqe.REMOTE_ADDR_LO] >>> 0,
      wqe[SendWqe.REMOTE_ADDR_HI] >>> 0,
    ]);
    expect(words).to.deep.equal([
      [0xffffffff, 0x1fffff],
      [0xfffffff0, 0xfffffffe],
    ]);
  });

  it('leaves nothing behind when it is given up', () => {
    const { a, ops, cq, wcs } = openConnected();
    a.wrStart();
    a.wrRdmaWrite(1, 1);
    a.wrAbort();
    expect(ops.device.sqRings).to.equal(0);
    a.wrStart();
    a.wrRdmaRead(1, 1);
    a.wrStart();
    a.wrId = 3;
    a.wrFlags = SIGNALED;
    a.wrRdmaWrite(1, 1);
    a.wrComplete();
    expect(cq.poll(wcs)).to.equal(1);
    expect(wcs[0]).to.include({ wrId: 3, opcode: WcOpcode.RDMA_WRITE });
    expect(ops.device.executed).to.have.length(1);
  });

  it('may post nothing', () => {
    const { a, ops } = openConnected();
    a.wrStart();
    a.wrComplete();
    expect(ops.device.sqRings).to.equal(0);
  });
});

describe('misuse of the extended form', () => {
  const misuse: [string, (c: Connected) => void, number, string, string][] = [
    ['no wrStart', ({ a }) => a.wrRdmaWrite(1, 1), 0, 'EINVAL', 'used in another order'],
    [
      'a setter before an operation',
      ({ a }) => (a.wrStart(), a.wrSetSge(1, 1, 1), a.wrSend()),
      0,
      'EINVAL',
      'used in another order',
    ],
    [
      'too many SGEs',
      ({ a, mr }) => (a.wrStart(), a.wrSend(), a.wrSend(), a.wrSetSgeList(Array(4).fill(mr.sge()))),
      1,
      'EINVAL',
      '4 SGEs; the limit is 3 (cap.maxSendSge)',
    ],
    [
      'too much inline data',
      ({ a }) => (a.wrStart(), a.wrSend(), a.wrSetInlineData(new Uint8Array(81))),
      0,
      'EINVAL',
      '81 bytes of inline data; the limit is 80 (cap.maxInlineData)',
    ],
    [
      'inline data of a read',
      ({ a }) => (a.wrStart(), a.wrRdmaRead(1, 1), a.wrSetInlineData(new Uint8Array(1))),
      0,
      'EINVAL',
      'opcode RDMA_READ is not one that this RC QP can do inline',
    ],
    [
      'an atomic operation without an SGE',
      ({ a }) => (a.wrStart(), a.wrSend(), a.wrAtomicFetchAdd(1, 8, 1n)),
      1,
      'EINVAL',
      'an atomic operation has one SGE, not 0',
    ],
    [
      'an atomic operation with two',
      ({ a, mr }) => (a.wrStart(), a.wrAtomicFetchAdd(1, 8, 1n), a.wrSetSgeList([mr.sge(), mr.sge()])),
      0,
      'EINVAL',
      'an atomic operation has one SGE, not 2',
    ],
    [
      'a full queue',
      ({ a }) => {
        a.wrStart();
        for (let i = 0; i < 7; i++) a.wrSend();
      },
      5,
      'ENOMEM',
      'the list and what is outstanding are more than 5',
    ],
  ];

  for (const [name, build, badWrIndex, code, reason] of misuse) {
    it(`${name} is told by wrComplete, and nothing is posted`, () => {
      const connected = openConnected();
      build(connected);
      const error = errorOf(() => connected.a.wrComplete());
      expect(error).to.include({ code, verb: 'ibv_wr_complete' });
      expect(error.details).to.deep.equal({ badWrIndex });
      expect(error.message).to.contain(reason);
      expect(connected.ops.device.sqRings).to.equal(0);
      connected.a.postSend({ opcode: WrOpcode.RDMA_WRITE });
      expect(connected.ops.device.sqRings).to.equal(1);
    });
  }

  it('the first mistake counts', () => {
    const { a } = openConnected();
    a.wrStart();
    a.wrSend();
    a.wrSetSgeList(new Array(9));
    for (let i = 0; i < 9; i++) a.wrSend();
    expect(errorOf(() => a.wrComplete())).to.include({ code: 'EINVAL' });
  });

  it('is told with the line of the program that made it', () => {
    const { a } = openConnected();
    const tooManySges = (): void => a.wrSetSgeList(new Array(9));
    a.wrStart();
    a.wrSend();
    tooManySges();
    a.wrSend();
    expect(errorOf(() => a.wrComplete()).stack).to.contain('tooManySges');
  });

  it('is forgotten by the next wrStart, and by wrAbort', () => {
    const { a, ops } = openConnected();
    for (const end of [() => undefined, () => a.wrAbort()]) {
      a.wrStart();
      a.wrSetSge(1, 1, 1);
      end();
      a.wrStart();
      a.wrRdmaWrite(1, 1);
      a.wrComplete();
    }
    expect(ops.device.sqRings).to.equal(2);
  });

  it('an operation that the type has not, and a state that takes none', () => {
    const { a } = openConnected({ qpType: 3 });
    a.wrStart();
    a.wrRdmaRead(1, 1);
    expect(errorOf(() => a.wrComplete()).code).to.equal('EINVAL');
    a.modify({ qpState: QpState.RESET });
    a.wrStart();
    a.wrSend();
    const error = errorOf(() => a.wrComplete());
    expect(error.message).to.contain('a QP in RESET takes no sends');
    a.wrSend();
    a.wrSetSge(1, 1, 1);
    expect(errorOf(() => a.wrComplete()).code).to.equal('EINVAL');
  });

  it('a post meanwhile is refused', () => {
    const { a } = openConnected();
    a.wrStart();
    a.wrSend();
    expect(errorOf(() => a.postSend({})).message).to.contain('wrStart was called, and neither wrComplete nor wrAbort');
    a.wrAbort();
    a.postSend({ opcode: WrOpcode.RDMA_WRITE });
  });

  it('a modify meanwhile gives up what was built', () => {
    const { a } = openConnected();
    a.wrStart();
    a.wrRdmaWrite(1, 1);
    a.modify({ minRnrTimer: 1 });
    expect(errorOf(() => a.wrComplete()).code).to.equal('EINVAL');
    a.postSend({ opcode: WrOpcode.RDMA_WRITE });
  });
});
