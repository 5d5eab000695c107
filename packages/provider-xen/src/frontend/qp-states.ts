/**
 * Basic: the states of a context's QPs, as far as the back-end has told them. Answers come in the order of the commands; an event may have
 * been on its way for long, so it says after which modify its state was read, and counts only when there was none since.
 */
import { QpState } from '@openverbs/verbs';
import { QP_MODIFIES_MASK } from '../protocol/events.ts';

interface Known {
  state: number;
  /** Modifies that were done, as the back-end counts them. */
  modifies: number;
}

export class QpStates {
  readonly #known = new Map<number, Known>();

  /** A QP is made; what is told of others is nobody's. */
  add(qp: number): void {
    this.#known.set(qp, { state: QpState.RESET, modifies: 0 });
  }

  remove(qp: number): void {
    this.#known.delete(qp);
  }

  of(qp: number): number {
    return this.#known.get(qp)?.state ?? QpState.RESET;
  }

  /** A modify was done; `state` is undefined when it named none. */
  modified(qp: number, state: number | undefined): void {
    const known = this.#known.get(qp);
    if (known === undefined) return;
    known.modifies = (known.modifies + 1) & QP_MODIFIES_MASK;
    known.state = state ?? known.state;
  }

  /** An answer tells the state. */
  answered(qp: number, state: number): void {
    const known = this.#known.get(qp);
    if (known !== undefined) known.state = state;
  }

  /** An event tells the state that there was after so many modifies. */
  notified(qp: number, state: number, modifies: number): void {
    if (this.#known.get(qp)?.modifies === modifies) this.answered(qp, state);
  }
}
