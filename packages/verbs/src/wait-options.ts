/** How to wait for an event. */
import { literalKeys } from './literal-keys.ts';

/** How to wait. */
export interface WaitOptions {
  /** Ends the wait: it rejects with the signal's reason, and no event is lost. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link WaitOptions} have. */
export const WAIT_KEYS = literalKeys<WaitOptions>({ signal: true });
