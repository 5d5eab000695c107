/**
 * A device domain on the thread of its guests: it runs whenever one of them waits, and on the event loop when an event or a change of
 * xenstore comes from a guest of another thread.
 */
import { setImmediate } from 'node:timers/promises';
import type { Domain, WaitOptions } from '@openverbs/hypervisor';
import type { Clock, Machine } from '@openverbs/machine';
import type { DeviceOps } from '@openverbs/verbs/driver';
import { Backend } from '../backend/backend.ts';
import type { QuotaKind } from '../backend/quota.ts';
import { closeEach } from '../close-each.ts';
import { lowerDevices } from './lower-devices.ts';

/** Directories of all domains in xenstore. */
const DOMAINS = '/local/domain';

/** Time between two looks while the thread is in its event loop and nothing tells of work. */
const LOOK_MS = 2;

/** Turns without a pause before the thread's event loop has one, however much guests of other threads ask for. */
export const TURNS_PER_PAUSE = 64;

/** What a device domain is made of. */
export interface Dom0Init {
  readonly machine: Machine;
  readonly domain: Domain;
  /** Another handle of it, whose watches tell of what other threads change. */
  readonly listener: Domain;
  readonly devices: readonly DeviceOps[];
  /** The lower devices' provider. */
  readonly provider: string;
  readonly clock: Clock;
  readonly quotas: Partial<Record<QuotaKind, number>>;
  /** Bytes a second that all guests together may send; 0, the default, for no limit. */
  readonly bandwidthBytesPerS?: number;
}

export class InlineDom0 {
  readonly backend: Backend;
  readonly #machine: Machine;
  readonly #domain: Domain;
  readonly #clock: Clock;
  readonly #listener: Domain;
  readonly #listening = new AbortController();
  readonly #poller = (): boolean => this.run();
  #running = false;
  #holds = 0;
  /** Lower contexts that are kept listening. */
  readonly #held = new Set<{ release(): void }>();
  #cancelTimer: () => void = () => undefined;
  readonly #looking: ReturnType<typeof setInterval>;

  constructor(init: Dom0Init) {
    const { machine, domain: dom0, listener, clock, quotas, bandwidthBytesPerS = 0 } = init;
    this.#machine = machine;
    this.#domain = dom0;
    this.#clock = clock;
    this.#listener = listener;
    const lower = lowerDevices(init.devices, init.provider, () => {
      this.run();
    });
    this.backend = new Backend({ dom0, devices: lower, clock, quotas, bandwidthBytesPerS });
    machine.pollers.push(this.#poller);
    // The events of the devices for guests of other threads: nobody holds the devices listening for those.
    this.#looking = setInterval(this.#poller, LOOK_MS).unref();
    listener.xenstore.watch(DOMAINS, DOMAINS);
    const { eventChannels } = dom0;
    void this.#serve(async (options) => {
      eventChannels.unmask(await eventChannels.waitAsync(options));
    });
    void this.#serve((options) => listener.xenstore.readWatchAsync(options));
  }

  /** Does what there is to do; false when there was nothing, or it is being done already further up the stack. */
  run(): boolean {
    if (this.#running) return false;
    this.#running = true;
    try {
      const worked = this.backend.run();
      if (this.#holds > 0) this.#listen();
      return worked;
    } finally {
      this.#running = false;
    }
  }

  /** Keeps the lower devices listening while somebody waits on the event loop; returns what ends that. */
  hold(): () => void {
    this.#holds++;
    this.#listen();
    return () => {
      if (--this.#holds > 0) return;
      this.#cancelTimer();
      for (const routing of this.#held) routing.release();
      this.#held.clear();
    };
  }

  /** A second call does nothing. */
  close(): void {
    if (this.#listening.signal.aborted) return;
    const { pollers } = this.#machine;
    const index = pollers.indexOf(this.#poller);
    if (index >= 0) pollers.splice(index, 1);
    this.#cancelTimer();
    this.#listening.abort();
    clearInterval(this.#looking);
    closeEach([
      () => this.backend.close(),
      () => this.#listener.close(),
      // Before the lower devices: what is left of a UAR that a guest does not unmap ends here.
      () => this.#domain.close(),
    ]);
  }

  /** Runs whenever what `wait` waits for has come. */
  async #serve(wait: (options: WaitOptions) => Promise<unknown>): Promise<void> {
    const { signal } = this.#listening;
    while (!signal.aborted) {
      try {
        await wait({ signal, unref: true });
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      await this.#runAll(signal);
    }
  }

  /** Runs until there is nothing left to do, so that no wake-up is lost. Between so many turns the program of this thread has its own. */
  async #runAll(signal: AbortSignal): Promise<void> {
    for (let turn = 1; !signal.aborted && this.run(); turn++) if (turn % TURNS_PER_PAUSE === 0) await setImmediate();
  }

  /** Holds the contexts that have come since, and sets a timer for sends that wait for their rate. */
  #listen(): void {
    for (const guest of this.backend.guests) {
      for (const { lower } of guest.contexts) {
        if (this.#held.has(lower.routing)) continue;
        this.#held.add(lower.routing);
        lower.routing.hold();
      }
    }
    this.#cancelTimer();
    const nextNs = this.backend.nextNs();
    if (nextNs !== Infinity) this.#cancelTimer = this.#clock.setTimer(nextNs, () => this.run());
  }
}
