/**
 * What a guest has had of a device, counted by the back-end, for eyes. The counts lie in pages of the device domain, so that a tool reads them in
 * whatever thread it runs: one store writes a count, nobody locks anything, and a guest cannot reach them.
 */
import type { DomainMemory } from '@openverbs/hypervisor';
import { XEN_PAGE_BYTES } from '@openverbs/hypervisor';

/** Places of the counts in an account, doubles each; those from POLLS on a guest tells of itself. */
export const Account = {
  /** Commands on the device channel. */
  COMMANDS: 0,
  /** Of these, refused. */
  REFUSED: 1,
  /** Work requests that were posted through the back-end. */
  POSTS: 2,
  /** Completions that were fetched. */
  COMPLETIONS: 3,
  /** Bytes of payload that the sends name which were posted through the back-end, and of those that the device has done of the guest's own queues. */
  BYTES: 4,
  /** Bytes of posts that lay in ring entries instead of the bulk area, where payload could have been: a front-end of ours puts none there. */
  RING_PAYLOAD_BYTES: 5,
  /** Events on the event channel. */
  EVENTS: 6,
  /** Events that were lost because too many waited. */
  EVENTS_LOST: 7,
  /** Pages that were looked at when memory was registered. */
  PAGES_VERIFIED: 8,
  /** Pages that are registered now. */
  PAGES_REGISTERED: 9,
  /** Work requests that the device has taken from queues in the guest's pages. */
  DIRECT_POSTS: 10,
  /** Commands, and other steps, at which the back-end itself failed: none, or it has a fault. */
  FAULTS: 11,
  /** As `GuestCount` has them, in its order. */
  POLLS: 12,
  POLLS_SAVED: 13,
  CACHE_HITS: 14,
  CACHE_PAGES_SAVED: 15,
  NOTIFICATIONS: 16,
  /** A power of two, so that accounts fill pages. */
  DOUBLES: 32,
} as const;

/** Accounts that all threads see. Front-ends that come when all are taken are counted where only the back-end sees it. */
export const ACCOUNTS_MAX = 512;

const ACCOUNTS_PER_PAGE = XEN_PAGE_BYTES / (8 * Account.DOUBLES);

/** Where the counts of a front-end are. */
export interface AccountPlace {
  readonly counts: Float64Array;
  /** What xenstore tells of it, for {@link readAccount}; empty when no other thread can see it. */
  readonly place: string;
}

/** The accounts of a back-end. */
export class AccountTable {
  readonly #memory: DomainMemory;
  readonly #frame: number;
  readonly #taken = new Set<number>();

  /** @throws HypervisorError ENOMEM */
  constructor(memory: DomainMemory) {
    this.#memory = memory;
    this.#frame = memory.allocPages(Math.ceil(ACCOUNTS_MAX / ACCOUNTS_PER_PAGE));
  }

  /** An account at zero. */
  take(): AccountPlace {
    let index = 0;
    while (this.#taken.has(index)) index++;
    if (index >= ACCOUNTS_MAX) return { counts: new Float64Array(Account.DOUBLES), place: '' };
    this.#taken.add(index);
    const frame = this.#frame + Math.floor(index / ACCOUNTS_PER_PAGE);
    const place = `${frame}:${index % ACCOUNTS_PER_PAGE}`;
    const counts = accountAt(this.#memory, frame, index % ACCOUNTS_PER_PAGE);
    counts.fill(0);
    return { counts, place };
  }

  give({ place }: AccountPlace): void {
    if (place === '') return;
    const [frame, index] = place.split(':').map(Number);
    this.#taken.delete((frame - this.#frame) * ACCOUNTS_PER_PAGE + index);
  }

  close(): void {
    this.#memory.freePages(this.#frame);
  }
}

/** The counts at a place, as a handle of the device domain finds them in any thread; null when there are none. */
export function readAccount(memory: DomainMemory, place: string | undefined): Float64Array | null {
  const match = /^(\d{1,10}):(\d{1,2})$/.exec(place ?? '');
  return match === null ? null : accountAt(memory, Number(match[1]), Number(match[2]));
}

function accountAt(memory: DomainMemory, frame: number, index: number): Float64Array {
  const { i32, word } = memory.page(frame);
  return new Float64Array(i32.buffer, i32.byteOffset + 4 * word + 8 * index * Account.DOUBLES, Account.DOUBLES);
}
