/** What the front-end of basic believes of the states of its QPs, when answers and events tell. */
import { expect } from 'chai';
import { QpState } from '@openverbs/verbs';
import { QpStates } from '../src/frontend/qp-states.ts';

const QP = 17;

describe('the states of QPs in basic', () => {
  let states: QpStates;

  beforeEach(() => {
    states = new QpStates();
    states.add(QP);
    states.modified(QP, QpState.INIT);
  });

  it('are those of the last modify, answer or event', () => {
    expect(states.of(QP)).to.equal(QpState.INIT);
    states.answered(QP, QpState.SQE);
    expect(states.of(QP)).to.equal(QpState.SQE);
    states.notified(QP, QpState.ERR, 1);
    expect(states.of(QP)).to.equal(QpState.ERR);
  });

  it('are not those of an event from before the last modify', () => {
    states.modified(QP, QpState.RESET);
    states.notified(QP, QpState.ERR, 1);
    expect(states.of(QP)).to.equal(QpState.RESET);
    states.notified(QP, QpState.ERR, 2);
    expect(states.of(QP)).to.equal(QpState.ERR);
  });

  it('stay where a modify names none, which counts all the same', () => {
    states.modified(QP, undefined);
    expect(states.of(QP)).to.equal(QpState.INIT);
    states.notified(QP, QpState.ERR, 1);
    expect(states.of(QP)).to.equal(QpState.INIT);
  });

  it('are of the QPs that there are', () => {
    states.remove(QP);
    states.answered(QP, QpState.ERR);
    states.modified(QP, QpState.ERR);
    states.notified(QP, QpState.ERR, 1);
    states.add(QP);
    expect(states.of(QP)).to.equal(QpState.RESET);
  });
});
