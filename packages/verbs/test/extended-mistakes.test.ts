/** Mistakes of the extended form that once went unnoticed, or were explained wrongly. */
import { expect } from 'chai';
import { QpType } from '../src/enums/qp.ts';
import { SendFlags, WrOpcode } from '../src/enums/wr.ts';
import type { VerbsError } from '../src/errors.ts';
import type { QueuePair } from '../src/queue-pair.ts';
import { SendWr } from '../src/send-wr.ts';
import { SendWqe } from '../src/rings/layout.ts';
import { type Connected, openConnected } from './support/connected.ts';
import { errorOf, openFake } from './support/fake-provider.ts';

const { INLINE } = SendFlags;

/** The error of a list with one mistake, of which nothing may be posted. */
function mistakeOf({ a, ops }: Connected, build: (qp: QueuePair) => void): VerbsError {
  const before = ops.device.sqRings;
  a.wrStart();
  build(a);
  const error = errorOf(() => a.wrComplete());
  expect(error).to.include({ verb: 'ibv_wr_complete', code: 'EINVAL' });
  expect(ops.device.sqRings, 'doorbells').to.equal(before);
  return error;
}

describe('an operand that is no number', () => {
  const big = 5n as unknown as number;
  const operands: [string, (qp: QueuePair) => void, string][] = [
    ['the remote address', (qp) => qp.wrRdmaWrite(1, big), 'remoteAddr is 5n'],
    ['the rkey', (qp) => qp.wrRdmaRead(big, 1), 'rkey is 5n'],
    ['immediate data', (qp) => qp.wrSendImm(big), 'immData is 5n'],
    ['immediate data of a write', (qp) => qp.wrRdmaWriteImm(1, 1, big), 'immData is 5n'],
    ['a key to invalidate', (qp) => qp.wrSendInv(big), 'invalidateRkey is 5n'],
    ['what to compare with', (qp) => qp.wrAtomicCmpSwp(1, 8, 1 as never, 2n), 'compareAdd is 1;'],
    ['what to swap', (qp) => qp.wrAtomicCmpSwp(1, 8, 1n, 2 as never), 'swap is 2;'],
    ['what to add', (qp) => qp.wrAtomicFetchAdd(1, 8, undefined as never), 'compareAdd is undefined;'],
    ['an address', (qp) => (qp.wrSend(), qp.wrSetSge(1, big, 4)), 'addr of an SGE is 5n'],
    ['a length', (qp) => (qp.wrSend(), qp.wrSetSge(1, 5, big)), 'length of an SGE is 5n'],
    ['an lkey', (qp) => (qp.wrSend(), qp.wrSetSge(big, 5, 4)), 'lkey of an SGE is 5n'],
    [
      'an address in a list',
      (qp) => (qp.wrSend(), qp.wrSetSgeList([{ addr: big, length: 1, lkey: 1 }])),
      'addr of an SGE is 5n',
    ],
    ['an SGE', (qp) => (qp.wrSend(), qp.wrSetSgeList([null as never])), 'sgList[0] is null, not an SGE'],
    ['a word of the remote address', (qp) => (qp.wrRdmaRead(1, 1), qp.wrSetRemoteAddr(1, big)), 'hi is 5n'],
    ['an SRQ number', (qp) => (qp.wrSend(), qp.wrSetXrcSrqn(big)), 'remoteSrqn is 5n'],
    ['an address handle', (qp) => (qp.wrSend(), qp.wrSetUdAddr({} as never, 1, 1)), 'ah is an object'],
    ['a Q_Key', (qp) => (qp.wrSend(), qp.wrSetUdAddr(null as never, 1, big)), 'ah is null'],
  ];

  for (const [name, build, reason] of operands) {
    it(`${name}: is an EINVAL of wrComplete, and nothing is posted`, () => {
      const connected = openConnected();
      const error = mistakeOf(connected, build);
      expect(error.message).to.contain(reason);
      expect(error.details).to.deep.equal({ badWrIndex: 0 });
    });
  }

  it('is told whatever comes after it', () => {
    const connected = openConnected();
    const error = mistakeOf(connected, (qp) => {
      qp.wrRdmaWrite(1, 64);
      qp.wrSetSge(2, 128, 8);
      qp.wrRdmaWrite(1, big);
      qp.wrSetSge(3, 192, 8);
      qp.wrRdmaWrite(1, 256);
    });
    expect(error.details).to.deep.equal({ badWrIndex: 1 });
  });

  it('does not write to the address of the write before', () => {
    const connected = openConnected();
    const { a, mr, ops } = connected;
    a.wrStart();
    a.wrRdmaWrite(mr.rkey, mr.addr);
    a.wrSetSge(mr.lkey, mr.addr, 8);
    a.wrComplete();
    mistakeOf(connected, (qp) => {
      try {
        qp.wrRdmaWrite(mr.rkey, big);
      } catch {
        // a program that goes on
      }
      qp.wrSetSge(mr.lkey, mr.addr, 8);
    });
    expect(ops.device.executed).to.have.length(1);
  });

  it('a wrId or flags: the next operation finds it, or wrComplete', () => {
    for (const field of ['wrId', 'wrFlags'] as const) {
      for (const more of [false, true]) {
        const connected = openConnected();
        const { a } = connected;
        const error = mistakeOf(connected, (qp) => {
          qp[field] = big;
          qp.wrSend();
          qp[field] = 0;
          if (more) qp.wrSend();
        });
        expect(error.message).to.contain(`work request 0: ${field} is 5n`);
        a.wrStart();
        a.wrRdmaWrite(1, 1);
        a.wrComplete();
      }
    }
  });
});

describe('local memory of another type', () => {
  const wrong: [string, unknown][] = [
    ['a string', 'abc'],
    ['other numbers', new Float64Array(2)],
    ['an object', {}],
    ['nothing', null],
  ];

  for (const [name, value] of wrong) {
    it(`${name} is refused as inline data, as a list, and by postSend`, () => {
      const connected = openConnected();
      const { a, ops } = connected;
      const inline = mistakeOf(connected, (qp) => (qp.wrSend(), qp.wrSetInlineData(value as Uint8Array)));
      expect(inline.message).to.contain('inlineData is');
      expect(inline.hint).to.equal('give a Uint8Array');
      const pieces = mistakeOf(connected, (qp) => (qp.wrSend(), qp.wrSetInlineDataList([value as Uint8Array])));
      expect(pieces).to.include({ message: inline.message, hint: inline.hint });
      const noList = mistakeOf(connected, (qp) => (qp.wrSend(), qp.wrSetInlineDataList(value as [])));
      expect(noList.message).to.contain('inlineData is').and.contain('no list');
      const list = mistakeOf(connected, (qp) => (qp.wrSend(), qp.wrSetSgeList(value as [])));
      expect(list.message).to.contain('sgList is').and.contain('not an array');
      if (value === null) return;
      const wr = new SendWr({ opcode: WrOpcode.RDMA_WRITE, sendFlags: INLINE });
      wr.inlineData = value as Uint8Array;
      expect(errorOf(() => a.postSend(wr))).to.include({ code: 'EINVAL', hint: 'give a Uint8Array' });
      expect(ops.device.sqRings).to.equal(0);
    });
  }

  it('a list without a length is refused by postSend and postRecv', () => {
    const { a, b, ops } = openConnected();
    const wr = new SendWr({ opcode: WrOpcode.RDMA_WRITE });
    wr.sgList = {} as [];
    expect(errorOf(() => a.postSend(wr)).message).to.contain('sgList is an object (Object), not an array');
    expect(errorOf(() => b.postRecv({ sgList: {} as [] })).code).to.equal('EINVAL');
    expect(ops.device.sqRings).to.equal(0);
  });
});

describe('the explanation of a mistake', () => {
  it('allocates nothing of what the mistake claims', () => {
    const connected = openConnected();
    const error = mistakeOf(connected, (qp) => (qp.wrSend(), qp.wrSetSgeList(new Array(2 ** 32 - 1))));
    expect(error.message).to.contain('4294967295 SGEs; the limit is 3 (cap.maxSendSge)');
    const data = Object.create(Uint8Array.prototype, { length: { value: 2 ** 40 } }) as Uint8Array;
    expect(mistakeOf(connected, (qp) => (qp.wrSend(), qp.wrSetInlineData(data))).message).to.contain('1099511627776');
  });

  it('of a list that is too long for the queue is not that so many are outstanding', () => {
    const { a } = openConnected({ depth: 4 });
    a.wrStart();
    for (let i = 0; i < 7; i++) a.wrSend();
    const error = errorOf(() => a.wrComplete());
    expect(error).to.include({ code: 'ENOMEM', hint: 'poll completions, or complete shorter lists' });
    expect(error.message).to.contain('the list and what is outstanding are more than 4 (cap.maxSendWr)');
  });

  it('of a list that a modify gave up says so', () => {
    const { a } = openConnected();
    a.wrStart();
    a.wrRdmaWrite(1, 1);
    a.modify({ minRnrTimer: 1 });
    a.wrRdmaWrite(1, 1);
    a.wrSetSge(1, 1, 1);
    const error = errorOf(() => a.wrComplete());
    expect(error.message).to.contain('a modify gave up the list');
    expect(errorOf(() => a.wrComplete()).message).to.contain('used in another order');
  });

  it('of a queue that holds none is that it holds none', () => {
    const { context } = openFake();
    const cq = context.createCq({ cqe: 4 });
    const qp = context.allocPd().createQp({ sendCq: cq, recvCq: cq, qpType: QpType.RC, cap: {} });
    qp.toRts(qp.endpoint());
    for (const post of [
      () => qp.postSend({ opcode: WrOpcode.SEND }),
      () => qp.postSend(new SendWr()),
      () => (qp.wrStart(), qp.wrSend(), qp.wrComplete()),
    ]) {
      const error = errorOf(post);
      expect(error).to.include({ code: 'EINVAL', hint: 'give cap.maxSendWr to createQp' });
      expect(error.message).to.contain('the send queue has room for none');
    }
    const error = errorOf(() => qp.postRecv({}));
    expect(error).to.include({ code: 'EINVAL', hint: 'give cap.maxRecvWr to createQp' });
    expect(error.message).to.contain('the receive queue has room for none');
  });
});

describe('the extended form after the end of the QP', () => {
  it('refuses even an empty list', () => {
    const { a } = openConnected();
    a.destroy();
    a.wrStart();
    expect(errorOf(() => a.wrComplete()))
      .to.include({ code: 'EINVAL', hint: '' })
      .and.property('message')
      .that.contains('already destroyed');
  });
});

describe('the address of one operation', () => {
  it('is not that of the next: the SRQ of XRC, and the address handle', () => {
    const xrc = openConnected({ qpType: QpType.XRC_SEND });
    xrc.a.wrStart();
    xrc.a.wrRdmaWrite(1, 1);
    xrc.a.wrSetXrcSrqn(7);
    xrc.a.wrRdmaWrite(1, 1);
    xrc.a.wrComplete();
    expect(xrc.ops.device.executed.map((wqe) => wqe[SendWqe.REMOTE_SRQN])).to.deep.equal([7, 0]);
    const ud = openConnected({ qpType: QpType.UD });
    const ah = ud.pd.createAh({ grh: { dgid: 'fe80::1' } });
    const error = mistakeOf(ud, (qp) => (qp.wrSend(), qp.wrSetUdAddr(ah, 1, 1), qp.wrSend()));
    expect(error.details).to.deep.equal({ badWrIndex: 1 });
    expect(error.message).to.contain('a datagram needs an address handle');
    ud.ops.device.paused = true; // it delivers to the QP that a is connected to, and there is none
    ud.a.wrStart();
    ud.a.wrSend();
    ud.a.wrSetUdAddr(ah, 5, 0x8000_0000);
    ud.a.wrComplete();
    ah.destroy();
    const dead = mistakeOf(ud, (qp) => (qp.wrSend(), qp.wrSetUdAddr(ah, 1, 1)));
    expect(dead.message).to.contain('that lives');
  });
});
