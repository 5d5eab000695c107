import { expect } from 'chai';
import { QpState, QpType } from '../src/enums/qp.ts';
import { SendFlags, WrOpcode } from '../src/enums/wr.ts';
import { SendWr, type SendWrInit } from '../src/send-wr.ts';
import { openConnected } from './support/connected.ts';
import { errorOf, openFake } from './support/fake-provider.ts';
import { qpRecordWord } from './support/fake-rings.ts';

const { SIGNALED } = SendFlags;

describe('a refused post', () => {
  it('is ENOMEM when the queue is full, until completions are polled', () => {
    const { a, b, cq, wcs, mr } = openConnected({ depth: 5 }); // the ring has 8 slots
    const wr = new SendWr({ opcode: WrOpcode.RDMA_WRITE, sendFlags: SIGNALED });
    for (let i = 0; i < 5; i++) a.postSend(wr);
    const error = errorOf(() => a.postSend(wr));
    expect(error).to.include({ code: 'ENOMEM', errno: 12, verb: 'ibv_post_send' });
    expect(error.message).to.contain('the send queue is full, 5 are outstanding (cap.maxSendWr)');
    expect(cq.poll(wcs, 1)).to.equal(1);
    a.postSend(wr);
    expect(errorOf(() => a.postSend(wr)).code).to.equal('ENOMEM');
    for (let i = 0; i < 5; i++) b.postRecv({ sgList: [mr.sge()] });
    expect(errorOf(() => b.postRecv({})).message).to.contain('the queue is full, 5 are outstanding');
  });

  it('frees unsignaled requests with the next completion', () => {
    const { a, cq, wcs } = openConnected({ depth: 4 });
    for (let i = 0; i < 4; i++) a.postSend({ opcode: WrOpcode.RDMA_WRITE, sendFlags: i === 3 ? SIGNALED : 0 });
    expect(errorOf(() => a.postSend({})).code).to.equal('ENOMEM');
    expect(cq.poll(wcs)).to.equal(1);
    for (let i = 0; i < 4; i++) a.postSend({ opcode: WrOpcode.RDMA_WRITE });
  });

  it('tells the bad work request of a chain; those before it are posted', () => {
    const { a, cq, wcs, ops, mr } = openConnected();
    const good = { opcode: WrOpcode.RDMA_WRITE, sendFlags: SIGNALED };
    const bad = { ...good, sgList: [mr.sge(), mr.sge(), mr.sge(), mr.sge()] };
    const error = errorOf(() => a.postSend([good, { ...good, wrId: 1 }, bad, good]));
    expect(error.details).to.deep.equal({ badWrIndex: 2 });
    expect(error.message).to.contain('work request 2: 4 SGEs; the limit is 3 (cap.maxSendSge)');
    expect(ops.device.sqRings).to.equal(1);
    expect(cq.poll(wcs)).to.equal(2);
    expect(errorOf(() => a.postSend(bad)).details).to.deep.equal({ badWrIndex: 0 });
    expect(ops.device.sqRings).to.equal(1);
    const full = errorOf(() => a.postSend(Array.from({ length: 9 }, () => good)));
    expect(full.details).to.deep.equal({ badWrIndex: 5 });
  });

  it('tells the bad receive of a list', () => {
    const { b, ops, mr } = openConnected();
    const error = errorOf(() => b.postRecv([{}, { sgList: [mr.sge(), mr.sge(), mr.sge()] }]));
    expect(error.details).to.deep.equal({ badWrIndex: 1 });
    expect(error.message).to.contain('work request 1: too many SGEs; the limit is 2');
    expect(qpRecordWord(ops.qps.get(b.handle)!.rings, 'RQ_PRODUCER')).to.equal(1);
  });

  it('says in which states what can be posted', () => {
    const { a } = openConnected();
    a.modify({ qpState: QpState.RESET });
    expect(errorOf(() => a.postSend({})).message).to.contain('a QP in RESET takes no sends');
    expect(errorOf(() => a.postRecv({}))).to.include({ code: 'EINVAL', hint: 'modify it to INIT first' });
    a.toInit();
    a.postRecv({});
    expect(errorOf(() => a.postSend({}))).to.include({ code: 'EINVAL', hint: 'modify it to RTS first' });
    a.modify({ qpState: QpState.ERR });
    a.postRecv({});
    a.postSend({});
  });

  it('says what else is wrong', () => {
    const { a, mr } = openConnected();
    const message = (init: SendWrInit): string => errorOf(() => a.postSend(init)).message;
    expect(message({ opcode: WrOpcode.TSO })).to.contain('opcode TSO is not one that this RC QP can do');
    expect(message({ opcode: 32 })).to.contain('opcode 32 is not one');
    expect(message({ opcode: 31 })).to.contain('opcode 31 is not one');
    expect(message({ opcode: WrOpcode.ATOMIC_FETCH_AND_ADD })).to.contain('an atomic operation has one SGE, not 0');
    const two = [mr.sge(0, 8), mr.sge(8, 8)];
    expect(message({ opcode: WrOpcode.ATOMIC_CMP_AND_SWP, sgList: two })).to.contain('one SGE, not 2');
    const uc = openConnected({ qpType: QpType.UC });
    expect(errorOf(() => uc.a.postSend({ opcode: WrOpcode.RDMA_READ })).message).to.contain('this UC QP');
  });

  it('does not end in a cyclic chain', () => {
    const { a } = openConnected();
    const wr = new SendWr({ opcode: WrOpcode.RDMA_WRITE });
    wr.next = wr;
    expect(errorOf(() => a.postSend(wr))).to.include({ code: 'EINVAL' });
  });
});

describe('createQp', () => {
  it('fills in capacities and checks them', () => {
    const { context } = openFake();
    const pd = context.allocPd();
    const cq = context.createCq({ cqe: 4 });
    const common = { sendCq: cq, recvCq: cq, qpType: QpType.RC };
    expect(pd.createQp({ ...common, cap: {} }).cap).to.deep.equal({
      maxSendWr: 0,
      maxRecvWr: 0,
      maxSendSge: 1,
      maxRecvSge: 1,
      maxInlineData: 0,
    });
    for (const cap of [
      { maxSendWr: 257 },
      { maxRecvWr: -1 },
      { maxSendSge: 5 },
      { maxRecvSge: 5 },
      { maxInlineData: 0.5 },
    ]) {
      expect(errorOf(() => pd.createQp({ ...common, cap })).details?.['what']).to.equal(`cap.${Object.keys(cap)[0]}`);
    }
    const typo = errorOf(() => pd.createQp({ ...common, cap: {}, qpType: 7 as QpType }));
    expect(typo.hint).to.contain('RC, UC, UD');
    expect(errorOf(() => pd.createQp({ ...common, cap: {}, qpType: QpType.XRC_SEND })).code).to.equal('EOPNOTSUPP');
    expect(errorOf(() => pd.createQp({ ...common, cap: {}, sendCq: undefined as never })).message).to.contain(
      'sendCq is missing',
    );
    const foreign = openFake().context.createCq({ cqe: 4 });
    expect(errorOf(() => pd.createQp({ ...common, cap: {}, recvCq: foreign })).message).to.contain(
      'of another context',
    );
  });

  it('keeps what it was made of for a query', () => {
    const { a, cq, pd } = openConnected();
    const { init, attr } = a.query();
    expect(init).to.include({ sendCq: cq, recvCq: cq, srq: null, qpType: QpType.RC, sqSigAll: false });
    expect(attr.qpState).to.equal(QpState.RTS);
    expect(a.pd).to.equal(pd);
  });

  it('attaches UD QPs to multicast groups', () => {
    const { a, ops } = openConnected({ qpType: QpType.UD });
    a.attachMcast('ff12::1');
    a.detachMcast('ff12::1');
    expect(ops.calls.slice(-2)).to.deep.equal([`attachMcast ${a.handle}`, `detachMcast ${a.handle}`]);
    expect(errorOf(() => a.detachMcast('ff12::1')).message).to.contain('is not attached to ff12');
    expect(errorOf(() => a.attachMcast('ff12::1', 0x10000)).message).to.contain('lid');
    a.attachMcast('ff12::2');
    expect(errorOf(() => a.destroy())).to.include({ code: 'EBUSY' });
    expect(errorOf(() => a.attachMcast('fe80::1')).message).to.contain('is no multicast address');
    expect(errorOf(() => openConnected().a.attachMcast('ff12::1')).message).to.contain('is RC, not UD');
  });
});
