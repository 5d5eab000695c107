/** What `openVerbs()` returns: the devices of the loaded providers, and their end. */
import type { RegistrationCacheOps } from '@openverbs/registration-cache';
import { Device, VerbsError } from '@openverbs/verbs';
import type { Context } from '@openverbs/verbs';
import { nearestKey } from '@openverbs/verbs/driver';
import type {
  DeviceOps,
  EventDispatcherOps,
  FaultControl,
  GuestCounters,
  ProviderInstance,
} from '@openverbs/verbs/driver';

import { tellClosing } from './instance-channels.ts';

/** An opened provider, under its name. */
export interface OpenedProvider {
  readonly name: string;
  readonly instance: ProviderInstance;
}

/**
 * The devices of the loaded providers. Ends as verbs objects do: `close()` is strict, `[Symbol.dispose]()` closes the contexts
 * that are still open first.
 */
export class OpenVerbs {
  /** All devices, in the order of the providers. */
  readonly devices: readonly Device[];
  /**
   * What another thread joins with, as `openVerbs({ machine })`; a message can carry it. Undefined where threads can't share
   * devices.
   */
  readonly machine: unknown;
  /** What keeps memory regions, with its statistics; undefined unless the configuration asks for it. */
  readonly registrationCache: RegistrationCacheOps | undefined;
  readonly #providers: readonly OpenedProvider[];
  readonly #contexts = new Set<Context>();
  readonly #onEnd: () => void;
  #closed = false;

  /** @internal */
  constructor(
    providers: readonly OpenedProvider[],
    dispatcher: EventDispatcherOps,
    registrationCache?: RegistrationCacheOps,
    onEnd: () => void = () => undefined,
  ) {
    this.#providers = providers;
    this.registrationCache = registrationCache;
    const attached = (ops: DeviceOps): DeviceOps => registrationCache?.attach(ops) ?? ops;
    this.#onEnd = onEnd;
    this.devices = Object.freeze(
      providers.flatMap(({ name, instance }) =>
        instance.devices.map((ops) => new TrackedDevice(attached(ops), name, dispatcher, (open) => this.#open(open))),
      ),
    );
    this.machine = providers.find(({ instance }) => instance.machine !== undefined)?.instance.machine;
  }

  /** The bad networks that the providers simulate. @internal */
  get faultControls(): readonly FaultControl[] {
    return this.#providers.flatMap(({ instance }) => instance.faults ?? []);
  }

  /**
   * What the guests of the split drivers have done so far, those of other threads of the machine included: a new list with each call, empty
   * without a split driver and once it was closed. Reading it takes nothing from the guests.
   *
   * @example
   * ```ts
   * import { openVerbs } from 'openverbs';
   *
   * using verbs = openVerbs({ provider: 'xen:basic', xen: { guests: 2 } });
   * for (const { name, ringRequests, pollsSaved } of verbs.guests()) console.log(name, ringRequests, pollsSaved);
   * ```
   */
  guests(): readonly GuestCounters[] {
    if (this.#closed) return [];
    return this.#providers.flatMap(({ instance }) => instance.guests?.() ?? []);
  }

  /** The contexts that are open, the oldest first. */
  get contexts(): readonly Context[] {
    return [...this.#contexts].filter((context) => !context.destroyed);
  }

  /**
   * The device called `name`, or the first one.
   *
   * @throws VerbsError ENODEV if there is none, EINVAL for a name that is no text.
   */
  device(name?: string): Device {
    if (name !== undefined && typeof name !== 'string') {
      const message = `the name of a device is ${String(name)}, not text`;
      throw new VerbsError({ code: 'EINVAL', verb: 'openVerbs', message, hint: 'devices[0] is the first one' });
    }
    const device = name === undefined ? this.devices[0] : this.devices.find((each) => each.name === name);
    if (device !== undefined) return device;
    const names = this.devices.map((each) => each.name);
    const nearest = name === undefined ? undefined : nearestKey(name, names);
    const what = name === undefined ? 'no device' : `no device '${name}'`;
    throw new VerbsError({
      code: 'ENODEV',
      verb: 'openVerbs',
      message: nearest === undefined ? `there is ${what}` : `there is ${what}; did you mean '${nearest}'?`,
      hint: names.length === 0 ? 'the loaded providers offer none' : `devices are ${names.join(', ')}`,
      details: { name, nearest, devices: names },
    });
  }

  /**
   * Releases the devices. A second call does nothing.
   *
   * @throws VerbsError EBUSY while a context is open; it names them.
   */
  close(): void {
    const open = this.contexts.map(({ label }) => label);
    if (!this.#closed && open.length > 0) {
      const message = `${open.length === 1 ? 'a context is' : `${open.length} contexts are`} open: ${open.join(', ')}`;
      throw new VerbsError({
        code: 'EBUSY',
        verb: 'openVerbs',
        message,
        hint: 'close each first, or dispose of what openVerbs() returned, which closes all',
        details: { children: open },
      });
    }
    this.#end();
  }

  /** Closes all contexts and what they hold, the youngest first, then releases the devices. Never throws. */
  [Symbol.dispose](): void {
    for (const context of this.contexts.toReversed()) context[Symbol.dispose]();
    try {
      this.#end();
    } catch (error) {
      // Thrown, it would take the place of the error that made the owner leave.
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }

  #end(): void {
    if (this.#closed) return;
    tellClosing(this);
    this.#closed = true;
    this.#contexts.clear();
    try {
      closeAll(this.#providers);
    } finally {
      this.#onEnd();
    }
  }

  #open(open: () => Context): Context {
    if (this.#closed) {
      const message = 'the device went with the openVerbs() that listed it';
      throw new VerbsError({ code: 'ENODEV', verb: 'ibv_open_device', message, hint: 'call openVerbs() again' });
    }
    for (const each of this.#contexts) if (each.destroyed) this.#contexts.delete(each);
    const context = open();
    this.#contexts.add(context);
    return context;
  }
}

/** Closes providers, the youngest first. All are closed whatever one of them throws; the first error is thrown then. */
export function closeAll(providers: readonly OpenedProvider[]): void {
  const errors: unknown[] = [];
  for (const { instance } of providers.toReversed()) {
    try {
      instance.close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** A device whose contexts are known to those who list it. */
class TrackedDevice extends Device {
  readonly #through: (open: () => Context) => Context;

  constructor(
    ops: DeviceOps,
    provider: string,
    dispatcher: EventDispatcherOps,
    through: (open: () => Context) => Context,
  ) {
    super(ops, provider, dispatcher);
    this.#through = through;
  }

  override open(): Context {
    return this.#through(() => super.open());
  }
}
