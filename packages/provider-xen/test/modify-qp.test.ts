/** What the back-end does about a QP's waiting sends and counts when the guest modifies it, and in which order. */
import { expect } from 'chai';
import { QpState, VerbsError } from '@openverbs/verbs';
import { handlers } from '../src/backend/dispatch.ts';
import type { Guest } from '../src/backend/guest.ts';

/** What is called for a modify of a QP in one state to another. */
function callsOf(from: number, to: number | undefined, refusal?: Error): string[] {
  const calls: string[] = [];
  const note = (name: string) => (): void => {
    calls.push(name);
  };
  const qp = {
    state: from,
    modify: () => {
      calls.push('modify');
      if (refusal !== undefined) throw refusal;
    },
  };
  const guest = {
    context: () => ({ qps: { get: () => ({ qp, modifies: 0 }) } }),
    directPosts: { look: note('look'), forget: note('forget') },
    requests: { flush: note('flush'), drop: note('drop') },
  } as unknown as Guest;
  const modify = (): unknown =>
    handlers.MODIFY_QP(guest, { context: 1, qp: 1, attr: to === undefined ? {} : { qpState: to } });
  if (refusal === undefined) modify();
  else expect(modify).to.throw(refusal);
  return calls;
}

describe('a queue pair of a guest that is modified', () => {
  const { INIT, RTS, SQE, ERR, RESET } = QpState;

  it('to RESET has its posts counted before, and forgets after it what waits', () => {
    expect(callsOf(RTS, RESET)).to.deep.equal(['look', 'modify', 'drop', 'forget']);
  });

  it('to ERR has flushed what waits, after it', () => {
    expect(callsOf(RTS, ERR)).to.deep.equal(['modify', 'flush']);
  });

  it('from SQE has flushed what waits, before it', () => {
    expect(callsOf(SQE, RTS)).to.deep.equal(['flush', 'modify']);
  });

  it('otherwise leaves alone what waits', () => {
    expect(callsOf(RESET, INIT)).to.deep.equal(['modify']);
    expect(callsOf(RTS, undefined)).to.deep.equal(['modify']);
  });

  it('and refuses it loses nothing that waits', () => {
    const refusal = new VerbsError({ code: 'EINVAL', message: 'it may not' });
    for (const to of [RESET, ERR]) expect(callsOf(RTS, to, refusal)).to.not.include.members(['drop', 'flush']);
  });
});
