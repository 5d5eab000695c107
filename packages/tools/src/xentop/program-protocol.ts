/** What a program's thread tells the thread of the tool. */
import type { GuestCounters } from 'openverbs';

/** What the thread is started with. */
export interface ProgramStart {
  /** File of the program. */
  readonly path: string;
}

/** An `openVerbs()` of the program, by number. */
export type FromProgram =
  /** It was opened: what joins its machine, and how many guests it has. */
  | { readonly kind: 'opened'; readonly id: number; readonly machine: unknown; readonly guests: number }
  /** It closes: what its guests have done in the end. */
  | { readonly kind: 'closing'; readonly id: number; readonly guests: readonly GuestCounters[] };
