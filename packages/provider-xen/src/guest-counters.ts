/**
 * What the guests of a machine have done, whatever threads they and the device domain run on: a tool of the device domain. The toolstack's and the
 * back-end's directories say which guests there are and where their accounts lie; reading takes nothing from anybody.
 */
import { DOM0, XEN_PAGE_BYTES, parseXenbusState, XenbusState } from '@openverbs/hypervisor';
import type { Domain, DomainInfo, Hypervisor, Toolstack } from '@openverbs/hypervisor';
import type { BackendCounters, GuestCounters } from '@openverbs/verbs/driver';
import { Account, readAccount } from './backend/accounting.ts';
import type { Frontend } from './frontend/frontend.ts';
import { BackendKey, backendPath, backendRoot, ToolstackKey } from './protocol/handshake.ts';

/** The front-ends of a guest that runs on this thread. */
export type LocalFrontends = ReadonlyMap<number, readonly Frontend[]>;

/** All guests that have a device, by their numbers. What those of this thread count themselves is read where it is counted. */
export function readGuests(hypervisor: Hypervisor & Toolstack, local: LocalFrontends): GuestCounters[] {
  const dom0 = hypervisor.domain(DOM0);
  try {
    const domains = hypervisor.domains().filter(({ domid, state }) => domid !== DOM0 && state === 'running');
    return domains.flatMap((domain) => readGuest(dom0, domain, local.get(domain.domid) ?? []) ?? []);
  } finally {
    dom0.close();
  }
}

function readGuest(
  dom0: Domain,
  { domid, name, totPages }: DomainInfo,
  frontends: readonly Frontend[],
): GuestCounters | undefined {
  const { xenstore } = dom0;
  const directory = `${backendRoot(DOM0)}/${domid}`;
  const paths = xenstore.tryDirectory(directory)?.map((index) => backendPath(DOM0, domid, Number(index)));
  if (paths === undefined) return undefined;
  const read = (key: string): (string | undefined)[] => paths.map((path) => xenstore.tryRead(`${path}/${key}`));
  const accounts = read(BackendKey.ACCOUNT).flatMap((place) => readAccount(dom0.memory, place) ?? []);
  const sum = (count: number): number => accounts.reduce((total, account) => total + account[count], 0);
  const own = (count: number, of: (frontend: Frontend) => number): number =>
    frontends.length === 0 ? sum(count) : frontends.reduce((total, frontend) => total + of(frontend), 0);
  return {
    domid,
    name,
    mode: read(ToolstackKey.MODE)[0] ?? '',
    connected: read(ToolstackKey.STATE).some((state) => parseXenbusState(state) === XenbusState.CONNECTED),
    memoryBytes: totPages * XEN_PAGE_BYTES,
    ringRequests: own(Account.COMMANDS, ({ counters }) => counters.requests),
    notifications: own(Account.NOTIFICATIONS, ({ counters }) => counters.notifications),
    events: own(Account.EVENTS, ({ events }) => events),
    polls: own(Account.POLLS, ({ statistics }) => statistics.polls),
    pollsSaved: own(Account.POLLS_SAVED, ({ statistics }) => statistics.pollsSaved),
    cacheHits: own(Account.CACHE_HITS, ({ statistics }) => statistics.cacheHits),
    cachePagesSaved: own(Account.CACHE_PAGES_SAVED, ({ statistics }) => statistics.cachePagesSaved),
    backend: accounts.length === 0 ? undefined : backendCounters(sum),
  };
}

function backendCounters(sum: (count: number) => number): BackendCounters {
  return {
    commands: sum(Account.COMMANDS),
    refused: sum(Account.REFUSED),
    faults: sum(Account.FAULTS),
    posts: sum(Account.POSTS),
    directPosts: sum(Account.DIRECT_POSTS),
    completions: sum(Account.COMPLETIONS),
    bytes: sum(Account.BYTES),
    ringPayloadBytes: sum(Account.RING_PAYLOAD_BYTES),
    events: sum(Account.EVENTS),
    eventsLost: sum(Account.EVENTS_LOST),
    pagesVerified: sum(Account.PAGES_VERIFIED),
    pagesRegistered: sum(Account.PAGES_REGISTERED),
  };
}
