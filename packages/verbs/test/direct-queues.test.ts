import { expect } from 'chai';
import type { Context } from '../src/context.ts';
import {
  createCqOn,
  createQpOn,
  createSrqOn,
  createXrcRecvQpOn,
  type DirectAccessOps,
  type QueueBuffer,
  regQueueBuffer,
  resizeCqOn,
  resizeSrqOn,
  userHalfOf,
} from '../src/driver/index.ts';
import { QpState, QpType } from '../src/enums/qp.ts';
import { SrqType } from '../src/enums/srq.ts';
import { VerbsError } from '../src/errors.ts';
import { WorkCompletion } from '../src/work-completion.ts';
import { errorOf, openFake } from './support/fake-provider.ts';

const CAP = { maxSendWr: 1, maxRecvWr: 1, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 0 };
const PAGES = [4096];

/** The kernel half of a fake device, and what it was asked. */
class FakeDirectAccess implements DirectAccessOps {
  readonly userHalf = { driver: 'fake', pages: [8192], words: [3] };
  readonly calls: unknown[][] = [];
  state: number = QpState.RESET;
  #last = 100;

  regQueueBuffer(pages: ArrayLike<number>): number {
    return this.#called('regQueueBuffer', [...Array.from(pages)]);
  }
  deregQueueBuffer(key: number): void {
    this.#called('deregQueueBuffer', key);
  }
  createCq(key: number, request: object): { handle: number; cqe: number } {
    return { handle: this.#called('createCq', key, request), cqe: 8 };
  }
  createQp(key: number, request: object): ReturnType<DirectAccessOps['createQp']> {
    const handle = this.#called('createQp', key, request);
    return { handle, qpNum: handle + 1000, cap: CAP, state: () => this.state };
  }
  createSrq(key: number, pd: number, attr: object, xrc: object | null): ReturnType<DirectAccessOps['createSrq']> {
    return { handle: this.#called('createSrq', key, pd, attr, xrc), srqNum: 7, maxWr: 4, maxSge: 1 };
  }
  resizeCq(cq: number, key: number, cqe: number): { cqe: number } {
    this.#called('resizeCq', cq, key, cqe);
    return { cqe: 64 };
  }
  resizeSrq(srq: number, key: number, attr: object, mask: number): { maxWr: number } {
    this.#called('resizeSrq', srq, key, attr, mask);
    return { maxWr: 32 };
  }

  #called(...call: unknown[]): number {
    this.calls.push(call);
    return ++this.#last;
  }
}

describe('queues in memory of another', () => {
  let context: Context;
  let other: Context;
  let direct: FakeDirectAccess;

  beforeEach(() => {
    direct = new FakeDirectAccess();
    const fake = openFake({ supports: ['xrc', 'srqResize'] });
    Object.assign(fake.ops, { directAccess: () => direct, openXrcd: () => 77, closeXrcd: () => undefined });
    context = fake.context;
    const second = openFake();
    Object.assign(second.ops, { directAccess: () => new FakeDirectAccess() });
    other = second.context;
  });

  const buffer = (of: Context = context): QueueBuffer => regQueueBuffer(of, PAGES);

  it('are made in two stages, by key', () => {
    expect(userHalfOf(context)).to.deep.equal({ driver: 'fake', pages: [8192], words: [3] });
    const [forCq, forQp, forSrq] = [buffer(), buffer(), buffer()];
    const cq = createCqOn(forCq, { cqe: 5, timestamps: false });
    const pd = context.allocPd();
    const srq = createSrqOn(forSrq, pd, { attr: { maxWr: 4 } });
    const qp = createQpOn(forQp, pd, { qpType: QpType.RC, sendCq: cq, recvCq: cq, srq, cap: CAP });
    expect([cq.cqe, srq.maxWr, srq.srqNum, qp.qpNum]).to.deep.equal([8, 4, 7, qp.handle + 1000]);
    expect(direct.calls.slice(3)).to.deep.equal([
      ['createCq', forCq.key, { cqe: 5, compVector: 0, timestamps: false, ignoreOverrun: false }],
      ['createSrq', forSrq.key, pd.handle, { maxWr: 4, maxSge: 1, srqLimit: 0 }, null],
      [
        'createQp',
        forQp.key,
        {
          pd: pd.handle,
          sendCq: cq.handle,
          recvCq: cq.handle,
          srq: srq.handle,
          xrcd: null,
          qpType: QpType.RC,
          sqSigAll: false,
          cap: CAP,
        },
      ],
    ]);
    expect(String(qp.label)).to.equal(`QP ${qp.qpNum}`);
  });

  it('hold their memory, as they hold their context', () => {
    const [first, second] = [buffer(), buffer()];
    const cq = createCqOn(first, { cqe: 5 });
    expect(first.children).to.deep.equal([cq]);
    expect(context.children).to.include.members([first, second, cq]);
    expect(errorOf(() => first.dereg())).to.include({ code: 'EBUSY', verb: 'deregQueueBuffer' });
    expect(errorOf(() => createCqOn(first, { cqe: 5 }))).to.include({ code: 'EBUSY' });
    resizeCqOn(second, cq, 50);
    expect(cq.cqe).to.equal(64);
    expect([first.children, second.children]).to.deep.equal([[], [cq]]);
    first.dereg();
    expect(errorOf(() => first.dereg()).code).to.equal('EINVAL');
    context[Symbol.dispose]();
    expect([cq.destroyed, second.destroyed]).to.deep.equal([true, true]);
    expect(direct.calls.at(-1)).to.deep.equal(['deregQueueBuffer', second.key]);
  });

  it('resize an SRQ, and change its limit on the way', () => {
    const [first, second] = [buffer(), buffer()];
    const srq = createSrqOn(first, context.allocPd(), { attr: { maxWr: 4 } });
    resizeSrqOn(second, srq, { maxWr: 30, srqLimit: 9 });
    expect(direct.calls.at(-1)).to.deep.equal(['resizeSrq', srq.handle, second.key, { maxWr: 30, srqLimit: 9 }, 3]);
    expect([srq.maxWr, first.children.length, second.children.length]).to.deep.equal([32, 0, 1]);
    expect(errorOf(() => resizeSrqOn(first, srq, { maxWr: 65 })).code).to.equal('EINVAL');
    expect(errorOf(() => resizeSrqOn(second, srq, { maxWr: 6 })).code).to.equal('EBUSY');
  });

  it('answer EOPNOTSUPP to posts, polls and arming, in every state', () => {
    const cq = createCqOn(buffer(), { cqe: 5 });
    const pd = context.allocPd();
    const qp = createQpOn(buffer(), pd, { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: CAP });
    const srq = createSrqOn(buffer(), pd, { attr: { maxWr: 4 } });
    for (direct.state of [QpState.RESET, QpState.RTS, QpState.ERR]) {
      const refusals = [
        () => qp.postSend({ wrId: 1, opcode: 0, sgList: [] }),
        () => qp.postRecv({ wrId: 1, sgList: [] }),
        () => {
          qp.wrStart();
          qp.wrSetInlineData(new Uint8Array(1));
          qp.wrAbort();
          qp.wrStart();
          qp.wrSend();
          qp.wrSetSgeList([]);
          qp.wrComplete();
        },
        () => srq.postRecv({ wrId: 1, sgList: [] }),
        () => cq.poll(WorkCompletion.array(1)),
        () => {
          cq.reqNotify();
        },
      ];
      for (const refused of refusals) expect(errorOf(refused), String(refused)).to.include({ code: 'EOPNOTSUPP' });
    }
  });

  it('go by the state that the device tells', () => {
    const cq = createCqOn(buffer(), { cqe: 5 });
    const qp = createQpOn(buffer(), context.allocPd(), { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: CAP });
    direct.state = QpState.ERR;
    expect(qp.state).to.equal(QpState.ERR);
    const error = errorOf(() => qp.modify({ qpState: QpState.INIT, pkeyIndex: 0, portNum: 1, qpAccessFlags: 0 }));
    expect(error).to.include({ code: 'EINVAL' });
    expect(error.details).to.include({ from: 'ERR', to: 'INIT' });
  });

  it('can be of XRC', () => {
    const cq = createCqOn(buffer(), { cqe: 5 });
    const xrcd = context.openXrcd();
    const srq = createSrqOn(buffer(), context.allocPd(), { attr: { maxWr: 4 }, srqType: SrqType.XRC, xrcd, cq });
    expect(direct.calls.at(-1)?.at(-1)).to.deep.equal({ xrcd: xrcd.handle, cq: cq.handle });
    const qp = createXrcRecvQpOn(buffer(), xrcd, { qpContext: 'mine' });
    expect([qp.xrcd, qp.pd, qp.qpContext]).to.deep.equal([xrcd, null, 'mine']);
    expect(errorOf(() => xrcd.close()).message)
      .to.contain(qp.label)
      .and.to.contain(srq.label);
  });

  it('are refused like ordinary ones, and before the device is asked', () => {
    const cq = createCqOn(buffer(), { cqe: 5 });
    const pd = context.allocPd();
    const here = buffer();
    const init = { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: CAP };
    const { length } = direct.calls;
    const refusals: (() => unknown)[] = [
      () => createCqOn(here, { cqe: 0 }),
      () => createCqOn(here, { cqe: 5, channel: other.createCompChannel() }),
      () => createCqOn({} as QueueBuffer, { cqe: 5 }),
      () => createQpOn(here, pd, { ...init, cap: { ...CAP, maxSendWr: 1000 } }),
      () => createQpOn(buffer(other), pd, init),
      () => createQpOn(here, other.allocPd(), { ...init }),
      () => createSrqOn(here, pd, { attr: { maxWr: 0 } }),
      () => createSrqOn(buffer(other), pd, { attr: { maxWr: 1 } }),
      () => resizeCqOn(here, cq, 0),
      () => resizeCqOn(buffer(other), cq, 10),
      () => resizeCqOn(here, context.createCq({ cqe: 4 }), 10),
      () => resizeSrqOn(here, pd.createSrq({ attr: { maxWr: 1 } }), { maxWr: 2 }),
      () => regQueueBuffer(context, []),
      () => regQueueBuffer(context, 5 as unknown as number[]),
      () => cq.resize(9),
    ];
    for (const refused of refusals) expect(errorOf(refused).code, String(refused)).to.equal('EINVAL');
    expect(errorOf(() => createCqOn(here, { cqe: 5, timestamps: true })).code).to.equal('EOPNOTSUPP');
    expect(direct.calls.length).to.equal(length);
    here.dereg();
    expect(errorOf(() => createCqOn(here, { cqe: 5 })).code).to.equal('EINVAL');
  });

  it('are not there on a device without direct access, and the error says what to do', () => {
    const fake = openFake();
    for (const refused of [() => userHalfOf(fake.context), () => regQueueBuffer(fake.context, PAGES)]) {
      const error = errorOf(refused);
      expect(error).to.include({ code: 'EOPNOTSUPP' });
      expect(error.hint).to.match(/basic/);
    }
  });

  it('name the verb in what the provider refuses', () => {
    direct.createCq = () => {
      throw new VerbsError({ code: 'EINVAL', message: 'too small' });
    };
    expect(errorOf(() => createCqOn(buffer(), { cqe: 5 }))).to.include({ code: 'EINVAL', verb: 'ibv_create_cq' });
  });
});
