/** The table of guests, as text for people and as an object for programs. One table of columns. */
import type { GuestCounters } from 'openverbs';
import { formatTable } from '../cli/plain-table.ts';
import { type GuestRates, type GuestSample, postsOf, ratesOf, secondsBetween } from './sample.ts';

/** In the place of what nobody counts. */
const NOT_COUNTED = '-';
const BASE = 1000;
/** Numbers below this are printed as they are. */
const PLAIN_MAX = 100_000;
const SUFFIXES = ['', 'k', 'M', 'G', 'T', 'P'];

/** One column: its head, and what stands there for a guest. */
interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
  readonly of: (guest: GuestCounters, rates: GuestRates | undefined) => string;
}

const number = (head: string, of: (guest: GuestCounters) => number | undefined): Column => ({
  head,
  align: 'right',
  of: (guest) => shortNumber(of(guest)),
});

const rate = (head: string, of: (rates: GuestRates, guest: GuestCounters) => number | undefined): Column => ({
  head,
  align: 'right',
  of: (guest, rates) => shortNumber(rates && of(rates, guest)),
});

const isBasic = ({ mode }: GuestCounters): boolean => mode === 'basic';

const COLUMNS: readonly Column[] = [
  { head: 'NAME', align: 'left', of: ({ name }) => name },
  { head: 'MODE', align: 'left', of: ({ mode, connected }) => (connected ? mode : `(${mode})`) },
  number('COMMANDS', ({ ringRequests }) => ringRequests),
  rate('CMD/S', ({ commands }) => commands),
  number('POSTS', (guest) => postsOf(guest)),
  rate('POST/S', ({ posts }) => posts),
  number('SAVED', (guest) => (isBasic(guest) ? guest.pollsSaved : undefined)),
  number('BYTES', ({ backend }) => backend?.bytes),
  rate('BYTE/S', ({ bytes }) => bytes),
  number('EVENTS', ({ events }) => events),
  number('PAGES', ({ backend }) => backend?.pagesRegistered),
  number('HITS', ({ cacheHits }) => cacheHits),
];

/** What the heads mean, for who asks. */
export const LEGEND = `\
  MODE      basic or bypass; in brackets while the guest has not opened its device
  COMMANDS  requests to the device domain; in basic also its posts, polls and arms
  POSTS     work requests: posted by the device domain (basic), done with by the device (bypass)
  SAVED     polls that the buffer of completions has answered, without a trip to the device domain
  BYTES     payload of sends, writes, reads and atomics, counted where their posts are
  EVENTS    completion and asynchronous events that the device domain has sent
  PAGES     pages that are registered now
  HITS      registrations that the registration cache has answered
  -         is not counted, or not known yet`;

/**
 * The guests as a table, each line ended by a newline: the heads, then a line a guest. Rates are those since `former`, a sample that was taken before;
 * without it `-` stands there. {@link https://github.com/openverbs/openverbs/blob/main/docs/split-driver.md | docs/split-driver.md} says what the columns are.
 *
 * @example
 * ```ts
 * import { formatGuests, sampleGuests } from '@openverbs/tools';
 * import { openVerbs } from 'openverbs';
 *
 * using verbs = openVerbs({ provider: 'xen:basic', xen: { guests: 2 } });
 * const before = sampleGuests(verbs);
 * verbs.device().open().queryDevice();
 * console.log(formatGuests(sampleGuests(verbs), before));
 * ```
 */
export function formatGuests(sample: GuestSample, former?: GuestSample): string {
  const rows = sample.guests.map((guest) => {
    const rates = ratesOf(guest, sample, former);
    return COLUMNS.map(({ of }) => of(guest, rates));
  });
  return `${formatTable(
    [COLUMNS.map(({ head }) => head), ...rows],
    COLUMNS.map(({ align }) => align),
  )}\n`;
}

/** A guest in what `--json` prints; null stands for what nobody counts. */
export interface GuestJson {
  readonly domid: number;
  readonly name: string;
  readonly mode: string;
  readonly connected: boolean;
  readonly memoryBytes: number;
  readonly commands: number;
  readonly refused: number;
  /** Commands, and other steps, at which the back-end itself failed. */
  readonly faults: number;
  readonly notifications: number;
  readonly posts: number;
  readonly directPosts: number;
  readonly completions: number | null;
  readonly polls: number | null;
  readonly pollsSaved: number | null;
  readonly bytes: number;
  readonly events: number;
  readonly eventsLost: number;
  readonly pagesRegistered: number;
  readonly pagesVerified: number;
  readonly cacheHits: number;
  readonly cachePagesSaved: number;
  /** Per second since the former refresh; null in the first one. */
  readonly rates: GuestRates | null;
}

/** One refresh in what `--json` prints. */
export interface RefreshJson {
  /** ISO 8601. */
  readonly time: string;
  /** Since the former refresh; null in the first one. */
  readonly seconds: number | null;
  readonly guests: readonly GuestJson[];
}

/** The same for programs: plain data, one object a sample. */
export function guestsToJson(sample: GuestSample, former?: GuestSample): RefreshJson {
  return {
    time: new Date().toISOString(),
    seconds: secondsBetween(sample, former) ?? null,
    guests: sample.guests.map((guest) => guestToJson(guest, ratesOf(guest, sample, former) ?? null)),
  };
}

function guestToJson(guest: GuestCounters, rates: GuestRates | null): GuestJson {
  const { domid, name, mode, connected, memoryBytes, notifications, events, cacheHits, cachePagesSaved, backend } =
    guest;
  const basic = <T>(value: T): T | null => (isBasic(guest) ? value : null);
  return {
    domid,
    name,
    mode,
    connected,
    memoryBytes,
    commands: guest.ringRequests,
    refused: backend?.refused ?? 0,
    faults: backend?.faults ?? 0,
    notifications,
    posts: backend?.posts ?? 0,
    directPosts: backend?.directPosts ?? 0,
    completions: basic(backend?.completions ?? 0),
    polls: basic(guest.polls),
    pollsSaved: basic(guest.pollsSaved),
    bytes: backend?.bytes ?? 0,
    events,
    eventsLost: backend?.eventsLost ?? 0,
    pagesRegistered: backend?.pagesRegistered ?? 0,
    pagesVerified: backend?.pagesVerified ?? 0,
    cacheHits,
    cachePagesSaved,
    rates,
  };
}

/** `12345`, `123.5k`, `1.2M`; `-` for what is not counted. */
export function shortNumber(value: number | undefined): string {
  if (value === undefined) return NOT_COUNTED;
  if (value < PLAIN_MAX) return String(Math.round(value));
  const power = Math.min(Math.floor(Math.log10(value) / 3), SUFFIXES.length - 1);
  return `${(value / BASE ** power).toFixed(1)}${SUFFIXES[power]}`;
}
