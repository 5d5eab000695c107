/**
 * The front-ends that the toolstack has told of. What xenstore says of them is looked at, and each step of the handshake is done that the states of
 * both ends ask for.
 */
import type { Domain } from '@openverbs/hypervisor';
import { XenbusState } from '@openverbs/hypervisor';
import type { Clock } from '@openverbs/machine';
import { Capability } from '@openverbs/verbs';
import type { CapabilityName, Device } from '@openverbs/verbs';
import { closeEach } from '../close-each.ts';
import { BackendKey, backendRoot, ShareKey, ToolstackKey } from '../protocol/handshake.ts';
import { PROTOCOL_VERSION, WEIGHT_MAX } from '../protocol/limits.ts';
import { Account, AccountTable } from './accounting.ts';
import type { AccountPlace } from './accounting.ts';
import { BrokenRing, Connection } from './connection.ts';
import type { DomainTable } from './domain-table.ts';
import { Guest } from './guest.ts';
import { RequestQueue } from './request-queue.ts';
import { Requests } from './requests.ts';
import type { Scheduler } from './scheduler.ts';
import { isGuestsFault, stepOf, XenbusBackend } from './xenbus-backend.ts';
import type { Step } from './xenbus-backend.ts';

const { INIT_WAIT, CONNECTED, CLOSED } = XenbusState;

const WATCH = 'backend';
const RELEASE_WATCH = 'release';
/** Changes in xenstore that are looked at in one go: a guest that writes without end keeps nobody waiting. */
export const WATCH_EVENTS_PER_RUN = 256;
/** What a guest is told that is dropped because of a fault of the back-end's own. */
const OWN_FAULT = 'the back-end failed at this guest';

/** What they are made of. */
export interface FrontendTableInit {
  readonly dom0: Domain;
  /** The devices that are shared, by name. */
  readonly devices: readonly Device[];
  readonly clock: Clock;
  /** Whom their sends wait for. */
  readonly scheduler: Scheduler;
  readonly domains: DomainTable;
}

/** A front-end that the toolstack has told of. */
interface Frontend {
  readonly xenbus: XenbusBackend;
  readonly queue: RequestQueue;
  readonly account: AccountPlace;
  connection: Connection | null;
}

export class FrontendTable {
  readonly #init: FrontendTableInit;
  readonly #dom0: Domain;
  /** By the back-end's directory of each. */
  readonly #frontends = new Map<string, Frontend>();
  readonly #root: string;
  readonly #accounts: AccountTable;
  #fault: unknown = undefined;

  constructor(init: FrontendTableInit) {
    this.#init = init;
    this.#dom0 = init.dom0;
    this.#root = backendRoot(init.dom0.domid);
    this.#accounts = new AccountTable(init.dom0.memory);
    init.dom0.xenstore.watch(this.#root, WATCH);
    init.dom0.xenstore.watch('@releaseDomain', RELEASE_WATCH);
  }

  /** Those that are connected. */
  connections(): Connection[] {
    return [...this.#frontends.values()].flatMap(({ connection }) => connection ?? []);
  }

  /** What the back-end itself failed at last; undefined when there was nothing. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Reads what has changed in xenstore; false when nothing has. */
  look(): boolean {
    const { xenstore } = this.#dom0;
    let changes = 0;
    let released = false;
    while (changes < WATCH_EVENTS_PER_RUN) {
      const event = xenstore.checkWatch();
      if (event === undefined) break;
      changes++;
      if (event.token === WATCH) this.#learn(event.path);
      released ||= event.token === RELEASE_WATCH;
    }
    if (changes === 0) return false;
    if (released) this.#forgetTheDead();
    for (const [path, frontend] of [...this.#frontends]) this.#step(path, frontend);
    return true;
  }

  /** Has each that is connected take its step; one that fails is ended, and the others go on. False when there was nothing to do. */
  each(step: (connection: Connection) => boolean): boolean {
    let worked = false;
    for (const frontend of [...this.#frontends.values()]) {
      if (frontend.connection === null) continue;
      try {
        worked = step(frontend.connection) || worked;
      } catch (error) {
        this.#end(frontend, error);
        worked = true;
      }
    }
    return worked;
  }

  /** Ends those at whose waiting sends the scheduler failed. */
  endFailed(): void {
    for (const frontend of this.#frontends.values()) {
      const { failure } = frontend.queue;
      if (failure === undefined) continue;
      frontend.queue.failure = undefined;
      this.#end(frontend, failure);
    }
  }

  /** Gives UARs back that have been unmapped since. */
  sweepUars(): void {
    const frontends = [...this.#frontends.values()];
    this.#init.domains.sweep(new Set(frontends.map(({ xenbus }) => xenbus.frontendDomid)), (domid, error) => {
      this.#fault = error;
      for (const frontend of frontends) if (frontend.xenbus.frontendDomid === domid) this.#end(frontend, error);
    });
  }

  /** Takes everything back from all guests, also when that fails of one of them. */
  close(): void {
    const { xenstore } = this.#dom0;
    const disconnect = (frontend: Frontend): void => {
      try {
        this.#disconnect(frontend, 'the device domain ends');
      } catch (error) {
        if (!isGuestsFault(error)) throw error;
      }
    };
    closeEach([
      ...[...this.#frontends.values()].map((frontend) => () => disconnect(frontend)),
      () => this.#accounts.close(),
      () => xenstore.unwatch(this.#root, WATCH),
      () => xenstore.unwatch('@releaseDomain', RELEASE_WATCH),
    ]);
  }

  /** Learns of front-ends below a path that has changed. */
  #learn(path: string): void {
    const [domid, index] = path.slice(this.#root.length + 1).split('/');
    const { xenstore } = this.#dom0;
    // Another thread may remove a directory at any time.
    const list = (at: string): string[] => xenstore.tryDirectory(at) ?? [];
    for (const guest of domid ? [domid] : list(this.#root)) {
      for (const device of index ? [index] : list(`${this.#root}/${guest}`))
        this.#add(`${this.#root}/${guest}/${device}`);
    }
  }

  #add(path: string): void {
    const known = this.#frontends.get(path);
    if (known !== undefined) {
      this.#setShare(known);
      return;
    }
    const xenbus = XenbusBackend.find(this.#dom0, path);
    if (xenbus === undefined) return;
    const queue = new RequestQueue(this.#init.scheduler.link);
    const frontend = { xenbus, queue, account: this.#accounts.take(), connection: null };
    this.#frontends.set(path, frontend);
    this.#setShare(frontend);
    this.#dom0.xenstore.watch(`${xenbus.frontendPath}/${ToolstackKey.STATE}`, path);
  }

  /** Does what the states of both ends ask for. A store that guests have filled, or a directory that goes meanwhile, ends the step. */
  #step(path: string, frontend: Frontend): void {
    const { xenbus } = frontend;
    try {
      if (!xenbus.exists) this.#forget(path, frontend);
      else this.#carryOut(frontend, stepOf(xenbus.state, xenbus.frontendState));
    } catch (error) {
      this.#end(frontend, error);
    }
  }

  /** Takes everything back from a guest whose step has failed, and tells it why. What is neither its mistake nor its ring's is a fault of our own. */
  #end(frontend: Frontend, error: unknown): void {
    const { xenbus } = frontend;
    const isOwn = !isGuestsFault(error) && !(error instanceof BrokenRing);
    if (isOwn) this.#countFault(frontend, error);
    const reason = isOwn ? OWN_FAULT : error.message;
    try {
      closeEach([
        () => this.#drop(frontend),
        () => {
          // Once: a front-end that waits in a state in which it is offered the device again would be failed again, and again.
          if (xenbus.exists && xenbus.state !== CLOSED) xenbus.publish({ [BackendKey.ERROR]: reason }, CLOSED);
        },
      ]);
    } catch (second) {
      if (!isGuestsFault(second)) this.#countFault(frontend, second);
    }
  }

  #countFault({ account }: Frontend, error: unknown): void {
    account.counts[Account.FAULTS]++;
    this.#fault = error;
  }

  #carryOut(frontend: Frontend, step: Step | undefined): void {
    // The toolstack may have begun anew before this looked: what was connected to is not what is there now.
    if (step === 'offer' || step === 'connect') this.#drop(frontend);
    if (step === 'offer') this.#offer(frontend);
    else if (step === 'connect') this.#connect(frontend);
    else if (step === 'disconnect') this.#disconnect(frontend);
  }

  #offer({ xenbus, account }: Frontend): void {
    const device = this.#deviceOf(xenbus);
    if (device === undefined) {
      const error = `there is no device ${xenbus.read(ToolstackKey.DEVICE) ?? ''}`;
      // Once: what it writes makes it look again.
      const isTold = xenbus.state === CLOSED && xenbus.read(BackendKey.ERROR) === error;
      if (!isTold) xenbus.publish({ [BackendKey.ERROR]: error }, CLOSED);
      return;
    }
    const capabilities = (Object.keys(Capability) as CapabilityName[]).filter((name) => device.supports(name));
    xenbus.publish(
      {
        [BackendKey.VERSION]: String(PROTOCOL_VERSION),
        [BackendKey.NODE_GUID]: String(device.guid),
        [BackendKey.NODE_TYPE]: String(device.nodeType),
        [BackendKey.TRANSPORT_TYPE]: String(device.transportType),
        [BackendKey.CAPABILITIES]: capabilities.join(' '),
        [BackendKey.ACCOUNT]: account.place,
      },
      INIT_WAIT,
    );
  }

  #connect(frontend: Frontend): void {
    const { xenbus, queue, account } = frontend;
    const { dom0, clock, scheduler, domains } = this.#init;
    const requests = new Requests(queue, scheduler, clock);
    const guest = new Guest({
      domid: xenbus.frontendDomid,
      dom0,
      device: this.#deviceOf(xenbus)!,
      bypass: xenbus.read(ToolstackKey.MODE) === 'bypass',
      requests,
      counts: account.counts,
      ...domains.of(xenbus.frontendDomid),
    });
    try {
      frontend.connection = new Connection(dom0, guest, xenbus.frontendKeys());
    } catch (error) {
      requests.close();
      throw error;
    }
    xenbus.publish({}, CONNECTED);
  }

  #disconnect(frontend: Frontend, reason = ''): void {
    const { xenbus } = frontend;
    this.#drop(frontend);
    if (xenbus.exists) xenbus.publish({ [BackendKey.ERROR]: reason }, CLOSED);
  }

  /** Takes everything back, and tells nobody. */
  #drop(frontend: Frontend): void {
    const { connection } = frontend;
    frontend.connection = null;
    connection?.close();
  }

  /** The toolstack has removed the directory, or the guest is no more. */
  #forget(path: string, frontend: Frontend): void {
    closeEach([
      () => this.#drop(frontend),
      () => this.#frontends.delete(path),
      () => this.#accounts.give(frontend.account),
      () => this.sweepUars(),
      () => this.#dom0.xenstore.unwatch(`${frontend.xenbus.frontendPath}/${ToolstackKey.STATE}`, path),
    ]);
  }

  /** What Xen's hotplug scripts do for a domain that was destroyed: nobody else removes the back-end's directory. */
  #forgetTheDead(): void {
    const { xenstore } = this.#dom0;
    for (const [path, frontend] of [...this.#frontends]) {
      const { frontendDomid, domainPath } = frontend.xenbus;
      if (xenstore.tryRead(domainPath) !== undefined) continue;
      try {
        closeEach([() => this.#forget(path, frontend), () => xenstore.rm(`${this.#root}/${frontendDomid}`)]);
      } catch (error) {
        this.#end(frontend, error);
      }
    }
    this.sweepUars();
  }

  /** What the toolstack lets the guest have; it may change at any time. */
  #setShare({ xenbus, queue }: Frontend): void {
    const number = (name: string): number => Number(xenbus.read(name) ?? 0) || 0;
    queue.weight = Math.min(Math.max(number(ShareKey.WEIGHT), 1), WEIGHT_MAX);
    queue.bucket.set(number(ShareKey.RATE), number(ShareKey.BURST), this.#init.clock.nowNs());
  }

  #deviceOf(xenbus: XenbusBackend): Device | undefined {
    const name = xenbus.read(ToolstackKey.DEVICE);
    return this.#init.devices.find((device) => device.name === name);
  }
}
