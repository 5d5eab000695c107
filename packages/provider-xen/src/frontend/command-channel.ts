/** How a front-end has a command done. */
import type { Command } from '../protocol/command.ts';

/** The device channel, as those see it who use it. */
export interface CommandChannel {
  /**
   * Has a command done and waits for its answer.
   *
   * @throws VerbsError that the back-end answered; EIO when the back-end is gone, ETIMEDOUT when it does not answer
   */
  call<Q, R>(command: Command<Q, R>, request: Q): R;
}
