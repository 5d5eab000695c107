/** The states of a QP: every transition of the table, every other one, and what can be posted in which state. */
import { expect } from 'chai';
import { QpState, WcOpcode, WcStatus, qpStateStr, type QpAttrInit } from '@openverbs/verbs';
import type { CapabilityName } from '@openverbs/verbs/driver';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { bringTo, connect, rtrAttr } from '../bench/connect.ts';
import { expectError } from '../bench/errors.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';
import { STATES, allAttributes, attrFor, illegalPairs, transitions, type Transition } from './rc-state-table.ts';

/** Two QPs that are brought to any state again and again. */
class Subject {
  readonly a: Side;
  readonly b: Side;

  constructor(bench: Bench) {
    ({ a: this.a, b: this.b } = bench.pair({ connected: false }));
  }

  get state(): QpState | undefined {
    const { qpState } = this.a.qp.query().attr;
    expect(this.a.qp.state, 'state of the object').to.equal(qpState);
    return qpState;
  }

  bringTo(state: QpState): void {
    this.a.qp.modify({ qpState: QpState.RESET });
    bringTo(state, this.a.qp, this.b.qp);
  }

  modify(attr: QpAttrInit): void {
    this.a.qp.modify(attr);
  }

  attributes(from: QpState): QpAttrInit {
    return allAttributes(this.a.qp, this.b.qp, from);
  }
}

/** Transitions through SQD are there for devices that have it. */
function needsOf({ from, to }: { from: QpState; to: QpState }): CapabilityName[] {
  return from === QpState.SQD || to === QpState.SQD ? ['sqDrain'] : [];
}

function nameOf({ from, to }: { from: QpState; to: QpState }): string {
  return `${qpStateStr(from)} to ${qpStateStr(to)}`;
}

/** Refused, and the state is as before. */
function expectRefused(subject: Subject, transition: Transition, attr: QpAttrInit): Readonly<Record<string, unknown>> {
  subject.bringTo(transition.from);
  const error = expectError('EINVAL', () => {
    subject.modify(attr);
  });
  expect(subject.state, 'state after the refusal').to.equal(transition.from);
  return error.details ?? {};
}

export const qpStateSuite = defineSuite('qp-state', ['rc'], (suite) => {
  for (const transition of transitions) {
    const { from, to, required, optional } = transition;
    const name = nameOf(transition);

    suite.works(`${name} with the required attributes`, needsOf(transition), (bench) => {
      const subject = new Subject(bench);
      subject.bringTo(from);
      subject.modify(attrFor(transition, subject.attributes(from), required));
      expect(subject.state).to.equal(to);
    });

    if (optional.length > 0) {
      suite.works(`${name} with each optional attribute`, needsOf(transition), (bench) => {
        const subject = new Subject(bench);
        for (const extra of optional) {
          subject.bringTo(from);
          subject.modify(attrFor(transition, subject.attributes(from), [...required, extra]));
          expect(subject.state, `with ${extra}`).to.equal(to);
        }
      });
    }

    if (required.length > 0) {
      suite.provokes(`${name} without one of the required attributes`, needsOf(transition), (bench) => {
        const subject = new Subject(bench);
        for (const missing of required) {
          const others = required.filter((attribute) => attribute !== missing);
          const details = expectRefused(subject, transition, attrFor(transition, subject.attributes(from), others));
          expect(JSON.stringify(details['missing']), `names ${missing}`).to.contain(missing);
        }
      });
    }

    suite.provokes(`${name} with an attribute that does not belong`, needsOf(transition), (bench) => {
      const subject = new Subject(bench);
      const all = subject.attributes(from);
      const names = Object.keys(all) as (keyof QpAttrInit)[];
      // Attributes of paths that the device may lack are refused for a reason of their own: no matter here.
      for (const extra of names.filter((attribute) => !required.includes(attribute) && !optional.includes(attribute))) {
        if (extra === 'pathMigState') continue;
        const details = expectRefused(subject, transition, attrFor(transition, all, [...required, extra]));
        expect(JSON.stringify(details['superfluous']), `names ${extra}`).to.contain(extra);
      }
    });
  }

  for (const pair of illegalPairs()) {
    suite.provokes(`${nameOf(pair)} is no transition`, needsOf(pair), (bench) => {
      const subject = new Subject(bench);
      const { from, to } = pair;
      expectRefused(subject, { from, to, required: [], optional: [] }, { qpState: to });
      // Nor with the attributes that lead to that state from where it can be reached.
      const proper = transitions.find((legal) => legal.to === to && legal.required.length > 0);
      if (proper !== undefined) {
        const attr = attrFor(proper, subject.attributes(from), proper.required);
        expectRefused(subject, { from, to, required: [], optional: [] }, attr);
      }
    });
  }

  suite.provokes('there are no other states', (bench) => {
    const subject = new Subject(bench);
    for (const from of [QpState.RESET, QpState.RTS]) {
      for (const to of [QpState.SQE, QpState.UNKNOWN, 8, -1, 0.5, NaN]) {
        const transition = { from, to: to as QpState, required: [], optional: [] };
        expectRefused(subject, transition, { qpState: to as QpState });
      }
    }
  });

  suite.provokes('sends are refused in RESET, INIT and RTR', (bench) => {
    const subject = new Subject(bench);
    for (const state of [QpState.RESET, QpState.INIT, QpState.RTR]) {
      subject.bringTo(state);
      const error = expectError('EINVAL', () => {
        subject.a.qp.postSend(send(1, []));
      });
      expect(error.details?.['badWrIndex'], 'badWrIndex').to.equal(0);
    }
    bringTo(QpState.RTR, subject.b.qp, subject.a.qp);
    subject.bringTo(QpState.RTS);
    expectNoCompletion(subject.a.sendCq);
  });

  suite.provokes('a QP that has failed is in ERR, whatever it was modified to last', async (bench) => {
    const { a } = bench.pair();
    a.qp.postSend(send(1, [{ ...a.sge(0, 8), lkey: 0xdeadbeef }]));
    await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.LOC_PROT_ERR });
    expectError('EINVAL', () => {
      a.qp.modify({ qpState: QpState.RTS, qpAccessFlags: 0 });
    });
    expect(a.qp.query().attr.qpState).to.equal(QpState.ERR);
    a.qp.postSend(send(2, []));
    await expectCompletions(a.sendCq, { wrId: 2, status: WcStatus.WR_FLUSH_ERR });
  });

  suite.provokes('receives are refused in RESET only', (bench) => {
    const subject = new Subject(bench);
    for (const state of STATES) {
      if (state === QpState.SQD && !bench.supports('sqDrain')) continue;
      subject.bringTo(state);
      const post = (): void => {
        subject.a.qp.postRecv({ wrId: 1, sgList: [] });
      };
      if (state === QpState.RESET) expectError('EINVAL', post);
      else post();
    }
  });

  suite.works('receives that were posted in INIT are used in RTR', async (bench) => {
    const { a, b } = bench.pair({ connected: false });
    bringTo(QpState.INIT, b.qp, a.qp);
    b.qp.postRecv({ wrId: 8, sgList: [b.sge(0, 8)] });
    // RESET empties the queue: the receive of before must not come back.
    b.qp.modify({ qpState: QpState.RESET });
    bringTo(QpState.INIT, b.qp, a.qp);
    b.qp.postRecv({ wrId: 9, sgList: [b.sge(0, 8)] });
    b.qp.modify(rtrAttr(b.qp, a.qp));
    bringTo(QpState.RTS, a.qp, b.qp);
    a.qp.postSend(send(1, [a.sge(0, 8)]));
    await expectCompletions(b.recvCq, { wrId: 9, opcode: WcOpcode.RECV, byteLen: 8 });
    await expectCompletions(a.sendCq, { wrId: 1 });
    expect(b.qp.query().attr.qpState, 'the receiver').to.equal(QpState.RTR);
  });

  suite.works('RESET forgets completions that were not polled', async (bench) => {
    const { a, b } = bench.pair();
    b.qp.postRecv({ wrId: 1, sgList: [] });
    a.qp.postSend(send(1, []));
    await expectCompletions(b.recvCq, { wrId: 1 });
    b.qp.postRecv([{ wrId: 2 }, { wrId: 3 }]);
    b.qp.modify({ qpState: QpState.ERR });
    a.qp.modify({ qpState: QpState.RESET });
    b.qp.modify({ qpState: QpState.RESET });
    expectNoCompletion(a.sendCq);
    expectNoCompletion(b.recvCq);
  });

  suite.works('a QP can be used again after RESET', async (bench) => {
    const { a, b } = bench.pair({ connected: false });
    for (let wrId = 0; wrId < 20; wrId++) {
      connect(a.qp, b.qp);
      b.qp.postRecv([{ wrId }, { wrId: 99 }]);
      a.qp.postSend(send(wrId, []));
      await expectCompletions(b.recvCq, { wrId, opcode: WcOpcode.RECV });
      await expectCompletions(a.sendCq, { wrId, opcode: WcOpcode.SEND });
      if (wrId % 2 === 0) {
        b.qp.modify({ qpState: QpState.ERR });
        await expectCompletions(b.recvCq, { wrId: 99, status: WcStatus.WR_FLUSH_ERR });
      }
      a.qp.modify({ qpState: QpState.RESET });
      b.qp.modify({ qpState: QpState.RESET });
    }
  });
});
