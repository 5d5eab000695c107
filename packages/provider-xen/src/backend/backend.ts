/**
 * The back-end: a daemon in the device domain, on top of the lower device's driver. It waits for front-ends, serves their rings in
 * turn, schedules their sends, forwards their events, and takes everything back when one goes.
 *
 * It never waits for a guest: each step does what can be done now and returns. A step that fails ends the guest that it is for, and no other.
 */
import type { Domain } from '@openverbs/hypervisor';
import type { Clock } from '@openverbs/machine';
import type { Device } from '@openverbs/verbs';
import { DomainTable } from './domain-table.ts';
import { FrontendTable } from './frontend-table.ts';
import type { Guest } from './guest.ts';
import type { QuotaKind } from './quota.ts';
import { Scheduler } from './scheduler.ts';

/** Time between two looks at what is not counted as it happens. */
const SAMPLE_NS = 50e6;

/** What a back-end is made of. */
export interface BackendInit {
  readonly dom0: Domain;
  /** The devices that it shares, by name. */
  readonly devices: readonly Device[];
  readonly clock: Clock;
  readonly quotas: Partial<Record<QuotaKind, number>>;
  /** Bytes a second that all guests together may send; 0 for no limit. */
  readonly bandwidthBytesPerS: number;
}

export class Backend {
  readonly #dom0: Domain;
  readonly #clock: Clock;
  readonly #scheduler = new Scheduler();
  readonly #domains: DomainTable;
  readonly #frontends: FrontendTable;
  #nextSampleNs = 0;

  constructor({ dom0, devices, clock, quotas, bandwidthBytesPerS }: BackendInit) {
    this.#dom0 = dom0;
    this.#clock = clock;
    this.#domains = new DomainTable(dom0, devices, quotas);
    this.#scheduler.link.set(bandwidthBytesPerS, 0, clock.nowNs());
    this.#frontends = new FrontendTable({ dom0, devices, clock, scheduler: this.#scheduler, domains: this.#domains });
  }

  /** The guests that are connected. */
  get guests(): Guest[] {
    return this.#frontends.connections().map(({ guest }) => guest);
  }

  /** UARs of closed contexts that guests have mapped still. */
  get uarsKept(): number {
    return this.#domains.uarsKept;
  }

  /** What the back-end itself failed at last, and has dropped a guest for; undefined when there was nothing. Each is counted in the guest's account. */
  get fault(): unknown {
    return this.#frontends.fault;
  }

  /** Does what there is to do; false when there was nothing. */
  run(): boolean {
    let worked = this.#frontends.look();
    this.#takeEvents();
    worked = this.#frontends.each((connection) => connection.serve()) || worked;
    const nowNs = this.#clock.nowNs();
    worked = this.#scheduler.run(nowNs) || worked;
    this.#frontends.endFailed();
    worked = this.#frontends.each((connection) => connection.forwardEvents()) || worked;
    if (nowNs >= this.#nextSampleNs) this.sample(nowNs);
    return worked;
  }

  /** Brings up to date what is counted of the guests and not as it happens; see `Guest.sample`. */
  sample(nowNs = this.#clock.nowNs()): void {
    this.#nextSampleNs = nowNs + SAMPLE_NS;
    this.#frontends.each((connection) => {
      connection.sample();
      return false;
    });
    this.#frontends.sweepUars();
  }

  /** When there is something to do at the latest. */
  nextNs(): number {
    return this.#scheduler.nextNs(this.#clock.nowNs());
  }

  /** Takes everything back from all guests, also when that fails of one of them. */
  close(): void {
    this.#frontends.close();
  }

  /**
   * Events only wake: every ring is looked at anyway. Each port is taken once, and is masked until all are, so that a guest that sends
   * without end keeps nobody waiting.
   */
  #takeEvents(): void {
    const { eventChannels } = this.#dom0;
    const taken: number[] = [];
    for (let port = eventChannels.take(); port !== 0; port = eventChannels.take()) taken.push(port);
    for (const port of taken) eventChannels.unmask(port);
  }
}
