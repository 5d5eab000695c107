/** What the worker threads of the tests do. Each role joins the hypervisor of `workerData` and reports in words of machine memory. */
import { workerData } from 'node:worker_threads';
import { hostClock, Machine } from '@openverbs/machine';
import { BackRing, EmulatedHypervisor, FrontRing, parseXenbusState, RingTake, XenbusState } from '../../src/index.ts';
import type { Domain, HypervisorHandle, RingPage } from '../../src/index.ts';
import { ENTRY_WORDS, Report } from './threads.ts';
import type { Role } from './threads.ts';

const { handle, role, domid, report, rounds } = workerData as {
  handle: HypervisorHandle;
  role: Role;
  domid: number;
  /** Word index of the thread's report. */
  report: number;
  rounds: number;
};

const machine = Machine.attach(handle.machine);
const hypervisor = EmulatedHypervisor.join(handle, machine);
const WAIT_NS_MAX = 20e9;
const soon = (): number => hostClock.nowNs() + WAIT_NS_MAX;

function tell(word: number, value: number): void {
  Atomics.store(machine.i32, report + word, value);
  Atomics.notify(machine.i32, report + word);
}

/** Takes events until one is of a port. */
function waitFor(domain: Domain, port: number): void {
  for (let taken = 0; taken !== port;) {
    taken = domain.eventChannels.wait(soon());
    domain.eventChannels.unmask(taken);
  }
}

function waitForState({ xenstore }: Domain, path: string, state: XenbusState): void {
  xenstore.watch(path, path);
  while (parseXenbusState(xenstore.tryRead(path)) !== state) xenstore.readWatch(soon());
  xenstore.unwatch(path, path);
}

/** The guest's half: shares a ring, says so in xenstore, and sends requests, a few at a time. */
function frontEnd(): void {
  const guest = hypervisor.domain(domid);
  const shared = guest.grantTable.sharePages(0, 1);
  const ring = new FrontRing(shared.page(0), ENTRY_WORDS);
  const port = guest.eventChannels.allocUnbound(0);
  guest.xenstore.transaction((t) => {
    guest.xenstore.write('data/ring-ref', String(shared.refs[0]), t);
    guest.xenstore.write('data/event-channel', String(port), t);
    guest.xenstore.write('data/state', String(XenbusState.INITIALISED), t);
  });
  waitForState(guest, 'data/state', XenbusState.CONNECTED);
  const response = new Int32Array(ENTRY_WORDS);
  for (let sent = 0, received = 0; received < rounds;) {
    while (sent < rounds && sent - received < 1 + (sent % 5) && ring.putRequest([sent, ~sent])) sent++;
    if (ring.pushRequests()) guest.eventChannels.notify(port);
    while (ring.takeResponse(response) === RingTake.TAKEN) {
      if (response[0] !== 2 * received++) throw new Error(`response ${received} is ${response[0]}`);
    }
    if (received < rounds && sent > received && !ring.finalCheckForResponses()) waitFor(guest, port);
  }
  guest.xenstore.write('data/state', String(XenbusState.CLOSED));
  tell(Report.DONE, rounds);
}

/** dom0's half: waits for the guest to appear, maps its ring, and answers until it closes. */
function backEnd(): void {
  const dom0 = hypervisor.domain(0);
  const path = `/local/domain/${domid}/data`;
  waitForState(dom0, `${path}/state`, XenbusState.INITIALISED);
  const read = (key: string): number => Number(dom0.xenstore.read(`${path}/${key}`));
  const mapping = dom0.grantTable.map(domid, [read('ring-ref')]);
  const port = dom0.eventChannels.bindInterdomain(domid, read('event-channel'));
  dom0.xenstore.write(`${path}/state`, String(XenbusState.CONNECTED));
  const answered = answer(dom0, mapping.page(0), port);
  waitForState(dom0, `${path}/state`, XenbusState.CLOSED);
  mapping.unmap();
  tell(Report.DONE, answered);
}

function answer(dom0: Domain, page: RingPage, port: number): number {
  const ring = new BackRing(page, ENTRY_WORDS);
  const request = new Int32Array(ENTRY_WORDS);
  let answered = 0;
  while (answered < rounds) {
    while (ring.takeRequest(request) === RingTake.TAKEN) {
      if (request[1] !== ~request[0]) throw new Error('a request is torn');
      ring.putResponse([2 * request[0]]);
      answered++;
    }
    if (ring.pushResponses()) dom0.eventChannels.notify(port);
    if (answered < rounds && !ring.finalCheckForRequests()) waitFor(dom0, port);
  }
  return answered;
}

/** A guest that never stops doing all that there is. Whoever runs the test ends it in the middle of something. */
function storm(): void {
  const guest = hypervisor.domain(domid);
  for (let round = 0; ; round++) {
    const shared = guest.grantTable.sharePages(0, 1 + (round % 3));
    const dom0 = hypervisor.domain(0);
    const mapping = dom0.grantTable.map(domid, shared.refs);
    const pinned = dom0.memory.pinPages(domid, [shared.page(0).address / 4096]);
    const near = guest.eventChannels.allocUnbound(0);
    const far = dom0.eventChannels.bindInterdomain(domid, near);
    guest.xenstore.transaction((t) => {
      guest.xenstore.write(`data/${round % 7}/a`, String(round), t);
      guest.xenstore.write(`data/${round % 7}/b`, String(round), t);
    });
    dom0.eventChannels.notify(far);
    guest.eventChannels.unmask(guest.eventChannels.take() || near);
    if (round % 2 === 0) guest.eventChannels.close(near);
    mapping.unmap();
    pinned.unpin();
    shared.unshare();
    dom0.close();
    if (round % 2 !== 0) guest.eventChannels.close(near);
    tell(Report.ROUNDS, round + 1);
  }
}

/** Opens a domain, and waits for an event that never comes. */
function idle(): void {
  const domain = hypervisor.domain(domid);
  if (domid !== 0) domain.grantTable.sharePages(0, 1);
  tell(Report.ROUNDS, 1);
  domain.eventChannels.wait(soon());
}

/** Makes a domain that nobody opens, and waits likewise. */
function toolstack(): void {
  hypervisor.createDomain({ name: 'unopened', memoryBytes: 2 ** 16 });
  idle();
}

const roles: Record<Role, () => void> = { 'front-end': frontEnd, 'back-end': backEnd, storm, idle, toolstack };
try {
  roles[role]();
} catch (error) {
  tell(Report.FAILED, 1);
  tell(Report.DONE, -1);
  throw error;
}
hypervisor.close();
machine.detach();
