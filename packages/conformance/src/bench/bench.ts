/** What a test works on: devices, contexts that are closed after it, and pairs of QPs that are ready to use. */
import type { Context, Device } from '@openverbs/verbs';
import type { CapabilityName } from '@openverbs/verbs/driver';
import type { ConformanceSession } from '../session.ts';
import { connect, type ConnectionOverrides } from './connect.ts';
import { Side, type SideOptions } from './side.ts';

/** How a pair is made: the same for both sides, but for what `a` and `b` say. */
export interface PairOptions extends SideOptions {
  readonly a?: SideOptions;
  readonly b?: SideOptions;
  /** Attributes of both QPs. */
  readonly connection?: ConnectionOverrides;
  /** Attributes of one of them, over those of both. */
  readonly connectionOfA?: ConnectionOverrides;
  readonly connectionOfB?: ConnectionOverrides;
  /** False leaves both in RESET. */
  readonly connected?: boolean;
}

/** See above. */
export class Bench {
  readonly device: Device;
  /** Where the other end of a pair is: another device if the subject has one, else the same. */
  readonly peerDevice: Device;
  /** For random tests, which name it when they fail. */
  readonly seed: number;
  /** What another thread would join with. */
  readonly machine: unknown;
  readonly #session: ConformanceSession;
  readonly #openSession: () => ConformanceSession | Promise<ConformanceSession>;
  readonly #contexts: Context[] = [];
  /** Sessions that the test opened beside that of the run. */
  readonly #others: ConformanceSession[] = [];

  /** @param openSession - opens the devices of the subject once more */
  constructor(
    session: ConformanceSession,
    seed: number,
    openSession: () => ConformanceSession | Promise<ConformanceSession>,
  ) {
    const { devices, machine } = session;
    const [device] = devices;
    if (device === undefined) throw new TypeError('the subject of a conformance run has no device');
    this.device = device;
    this.seed = seed;
    this.machine = machine;
    this.peerDevice = devices.at(-1) ?? device;
    this.#session = session;
    this.#openSession = openSession;
  }

  supports(capability: CapabilityName): boolean {
    return this.device.supports(capability);
  }

  /** Opens a context; it is closed after the test if the test has not done so. */
  open(device = this.device): Context {
    const context = device.open();
    this.#contexts.push(context);
    return context;
  }

  /** One end, not connected. */
  side(options: SideOptions = {}): Side {
    return new Side(options.context ?? this.open(options.device), options);
  }

  /** Two ends; connected, in RTS, unless told otherwise. */
  pair(options: PairOptions = {}): { a: Side; b: Side } {
    const { a: ofA, b: ofB, connection, connectionOfA, connectionOfB, connected = true, ...both } = options;
    const a = this.side({ ...both, ...ofA });
    const b = this.side({ device: this.peerDevice, ...both, ...ofB });
    if (connected) connect(a.qp, b.qp, { ...connection, ...connectionOfA }, { ...connection, ...connectionOfB });
    return { a, b };
  }

  /** Devices of their own, for a test that ends one of them; closed after the test. */
  async openApart(): Promise<readonly Device[]> {
    return this.#noted(await this.#openSession());
  }

  /** The devices as another thread has them that was sent {@link Bench.machine}; closed after the test. */
  async join(): Promise<readonly Device[]> {
    const { join } = this.#session;
    if (join === undefined) {
      throw new Error(
        'the manifest claims sharesMachine, so what `open` gives needs `join`, as another thread would do it',
      );
    }
    // A thread is sent a copy.
    return this.#noted(await join(structuredClone(this.machine)));
  }

  /** Closes what the test left open, youngest first. */
  async release(): Promise<void> {
    for (const context of this.#contexts.splice(0).reverse()) context[Symbol.dispose]();
    for (const session of this.#others.splice(0).reverse()) await session.close();
  }

  #noted(session: ConformanceSession): readonly Device[] {
    this.#others.push(session);
    return session.devices;
  }
}
