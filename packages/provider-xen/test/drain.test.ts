/** What a guest in basic gets of a CQ: so many completions as it asks for, in their order, with the time that they were asked for with, and what they did to their QPs. */
import { expect } from 'chai';
import { QpState, QpType, WcStatus } from '@openverbs/verbs';
import type { CompletionQueue } from '@openverbs/verbs';
import type { KeptRoom } from '@openverbs/verbs/driver';
import { GuestCq } from '../src/backend/guest-cq.ts';
import type { ResponseOf } from '../src/protocol/command.ts';
import { Commands } from '../src/protocol/commands.ts';
import { QP_MODIFIES_MASK } from '../src/protocol/events.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { XenMachine } from './support/xen-machine.ts';

const { ALLOC_PD, CREATE_CQ, CREATE_QP, DRAIN_CQ, MODIFY_QP, OPEN_CONTEXT, POST_RECV, POST_SEND } = Commands;
const CQ = { cqe: 8, compVector: 0, cookie: 1, ignoreOverrun: false, key: 0 };
const CAP = { maxSendWr: 4, maxRecvWr: 4, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 0 };
const QP = { srq: 0, xrcd: 0, qpType: QpType.RC as number, sqSigAll: false, cap: CAP, cookie: 2, key: 0 };
const INIT = { qpState: QpState.INIT, pkeyIndex: 0, portNum: 1, qpAccessFlags: 0 };
const POSTED = [11, 12, 13];

describe('the completions of a guest in basic', () => {
  let xen: XenMachine;
  let front: HostileFrontend;
  let context: number;
  let cq: number;
  let qp: number;

  /** Receives that are flushed: as many completions that are errors. */
  function flush(timestamps: boolean, extended: boolean): void {
    ({ cq } = front.call(CREATE_CQ, { ...CQ, context, timestamps, extended }));
    const { pd } = front.call(ALLOC_PD, { context });
    ({ qp } = front.call(CREATE_QP, { ...QP, context, pd, sendCq: cq, recvCq: cq }));
    front.call(MODIFY_QP, { context, qp, attr: INIT });
    front.call(POST_RECV, { context, qp, consumed: 0, wrs: POSTED.map((wrId) => ({ wrId, sgList: [] })) });
    front.call(MODIFY_QP, { context, qp, attr: { qpState: QpState.ERR } });
  }

  function drain(max: number, consumed: number): ResponseOf<typeof DRAIN_CQ> {
    return front.call(DRAIN_CQ, { context, cq, max, consumed, taken: 0 });
  }

  beforeEach(() => {
    xen = new XenMachine();
    front = new HostileFrontend(xen, xen.addGuest('basic'));
    front.connect();
    ({ context } = front.call(OPEN_CONTEXT, {}));
  });
  afterEach(() => {
    xen.close();
  });

  for (const [timestamps, extended] of [
    [false, false],
    [false, true],
    [true, true],
  ]) {
    const kind = `${extended ? 'an extended' : 'a'} CQ with${timestamps ? '' : 'out'} timestamps`;
    it(`come of ${kind} in their order, no more than are asked for, and it is said whether there may be more`, () => {
      flush(timestamps, extended);
      const drains = [drain(2, 0), drain(2, 2), drain(2, 3)];
      expect(drains.map(({ more }) => more)).to.deep.equal([true, false, false]);
      expect(drains.map(({ completions }) => completions.map(({ wrId }) => wrId))).to.deep.equal([[11, 12], [13], []]);
      for (const { timestamp, status } of drains.flatMap(({ completions }) => completions)) {
        expect(status).to.equal(WcStatus.WR_FLUSH_ERR);
        expect(timestamp > 0).to.equal(timestamps);
      }
    });
  }

  it('that are errors come with the states of their QPs, each once', () => {
    flush(false, false);
    expect(drain(8, 0).states).to.deep.equal([{ qp, state: QpState.ERR }]);
  });

  it('that are errors of a QP of another context, or of one that has gone, come without its state', () => {
    flush(false, false);
    const [guest] = xen.dom0.backend.guests;
    guest.context(context).qps.find = () => undefined;
    const { completions, states } = drain(8, 0);
    expect([completions.length, states]).to.deep.equal([POSTED.length, []]);
  });

  it('give their places back when the guest says so with a post, and are none that it was not given', () => {
    flush(false, false);
    drain(8, 0);
    const room = (): string => front.refusal(POST_RECV, { context, qp, consumed: POSTED.length + 1, wrs: [] });
    expect(room()).to.match(/^EINVAL: consumed is 4/);
    expect(front.refusal(POST_SEND, { context, qp, consumed: 4, wrs: [] })).to.match(/^EINVAL: consumed is 4/);
    front.call(POST_SEND, { context, qp, consumed: 3, wrs: [] });
    expect(front.refusal(POST_RECV, { context, qp, consumed: 2, wrs: [] })).to.match(/^EINVAL: consumed is 2/);
  });

  it('keep their places until the program takes them, the oldest first', () => {
    const calls: string[] = [];
    const room: KeptRoom = {
      keep: (count) => calls.push(`keep ${count}`),
      giveBack: (count) => calls.push(`give back ${count}`),
    };
    const queue = new GuestCq({ label: 'CQ 1' } as CompletionQueue, 1, room);
    queue.given(4, 1);
    queue.given(2, 0);
    queue.given(1, 100);
    expect(calls.filter((call) => call !== 'give back 0')).to.deep.equal([
      ...['keep 4', 'give back 1'],
      'keep 2',
      ...['keep 1', 'give back 6'],
    ]);
  });

  it('are told apart from modifies of their QP, which are counted within a word that is never negative', () => {
    flush(false, false);
    const [guest] = xen.dom0.backend.guests;
    const owned = guest.context(context).qps.get(qp);
    owned.modifies = QP_MODIFIES_MASK;
    front.call(MODIFY_QP, { context, qp, attr: { qpState: QpState.RESET } });
    expect(owned.modifies).to.equal(0);
  });
});
