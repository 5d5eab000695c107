/** How a package declares itself a provider. */
import type { CqePollerOps } from './cqe-polling.ts';
import type { DeviceOps } from './device-ops.ts';
import type { UserDriver } from './direct-access.ts';

/** Version of the contract between `verbs` and a provider; raised when a provider must change. */
export const DRIVER_ABI = 1;

/** Time, handed in so that a device can run under a virtual clock. */
export interface ProviderClock {
  /** Nanoseconds on a monotonic clock, comparable between the threads of the process. */
  nowNs(): number;
  /** Calls `callback` at or after `deadlineNs`; the timer keeps the event loop alive. Returns a function that cancels it. */
  setTimer(deadlineNs: number, callback: () => void): () => void;
  /** What has to be added to `nowNs` for nanoseconds since 1970; left out where the clock is not that of the world. */
  wallclockOffsetNs?(): number;
}

/** Randomness, handed in so that a run can be replayed. */
export interface ProviderPrng {
  /** A uniform unsigned 32-bit integer. */
  nextUint32(): number;
}

/** What the composition root hands to a provider. */
export interface ProviderEnvironment {
  /** The machine to join, as another thread's {@link ProviderInstance.machine} gave it; undefined to make one. */
  readonly machine: unknown;
  /** undefined for the host's. */
  readonly clock: ProviderClock | undefined;
  /** undefined for the host's. */
  readonly prng: ProviderPrng | undefined;
  /** Makes the pollers of completion queues that are slow to reach; undefined for the provider's own choice. */
  readonly cqePoller?: CqePollerOps | undefined;
  /**
   * Another provider, by its name, with its own part of the configuration: for a provider that shares the devices of another, which it
   * opens itself. Throws as `openVerbs()` does when there is none.
   */
  readonly lower?: ((name: string) => LowerProvider) | undefined;
}

/** A provider that another one stands on. */
export interface LowerProvider {
  /** The provider. */
  readonly definition: ProviderDefinition;
  /** Its part of the configuration, checked. */
  readonly config: unknown;
  /** File of its module, which exports it as `provider`: for threads of the upper provider's own; empty when it has none. */
  readonly modulePath: string;
}

/**
 * What a simulated network does to frames. Probabilities are 0 to 1 and drawn for each frame anew, from the seed: under one seed and
 * a virtual clock a run is the same each time.
 */
export interface Faults {
  /** Of the random numbers, a safe integer. */
  readonly seed: number;
  /** Probability that a frame is lost. */
  readonly drop: number;
  /** Probability that a frame arrives twice. */
  readonly duplicate: number;
  /** Probability that a frame is held back for up to 50 microseconds, so that later ones overtake it. */
  readonly reorder: number;
  /** Probability that a bit of a frame is turned. */
  readonly corrupt: number;
  /** How long each frame is under way, in microseconds. */
  readonly delay: number;
  /** Groups of devices, by name: frames between two groups are lost. Devices that are in none are one group more. */
  readonly partition: readonly (readonly string[])[];
}

/** How often a simulated network did what {@link Faults} say, in frames. */
export interface FaultCounters {
  /** All that were sent. */
  readonly sent: number;
  /** Lost by chance. */
  readonly dropped: number;
  /** That arrived twice. */
  readonly duplicated: number;
  /** That were held back. */
  readonly reordered: number;
  /** That had a bit turned. */
  readonly corrupted: number;
  /** Lost between two groups of a partition. */
  readonly partitioned: number;
}

/** The bad network of a provider that can simulate one. */
export interface FaultControl {
  /** What is set. */
  readonly faults: Faults;
  /** What was done so far. */
  readonly counters: FaultCounters;
  /** Sets what is given, for the frames that are sent from now on. A seed starts the random numbers anew. Throws EINVAL. */
  set(faults: Partial<Faults>): void;
}

/**
 * What a guest of a split driver has done so far, all its devices together. Counts begin when it is given them. What a guest of another thread counts
 * itself (notifications, polls, registrations) is what it told last: with each request, and whenever its program waits.
 */
export interface GuestCounters {
  /** Number of the domain. */
  readonly domid: number;
  /** Its name. */
  readonly name: string;
  /** `basic` or `bypass`. */
  readonly mode: string;
  /** Whether its front-end is connected to the back-end. */
  readonly connected: boolean;
  /** Memory that it has taken. */
  readonly memoryBytes: number;
  /** Requests that were put on the rings of its device channels. */
  readonly ringRequests: number;
  /** Of these, requests that the device domain had to be told of by an event channel. */
  readonly notifications: number;
  /** Events that came from the device domain. */
  readonly events: number;
  /** Polls of its completion queues, in basic; in bypass they are reads of its own memory, which nobody counts, and 0 stands here. */
  readonly polls: number;
  /** Of these, polls that the buffer of completions has answered, without a trip to the device domain. */
  readonly pollsSaved: number;
  /** Registrations that the registration cache has answered, without a step to the device domain. */
  readonly cacheHits: number;
  /** Pages that these had, which nobody had to look at. */
  readonly cachePagesSaved: number;
  /** What the back-end has counted for it, wherever that runs; undefined before it has seen the guest. */
  readonly backend?: BackendCounters | undefined;
}

/** What a back-end has counted for a guest. */
export interface BackendCounters {
  /** Commands. */
  readonly commands: number;
  /** Of these, refused. */
  readonly refused: number;
  /** Commands, and other steps, at which the back-end itself failed: none, or it has a fault. */
  readonly faults: number;
  /** Work requests that it posted. */
  readonly posts: number;
  /**
   * Work requests that the device is done with of queues in the guest's own pages (bypass): sends, and receives that a message took. Read from the
   * indices that the device keeps anyway, at most 0.1 s ago.
   */
  readonly directPosts: number;
  /** Completions that were fetched. */
  readonly completions: number;
  /**
   * Bytes of payload of sends, also of writes, reads and atomics: what those of {@link posts} name (basic), and what those of {@link directPosts} had
   * that the device has done without a failure (bypass).
   */
  readonly bytes: number;
  /** Bytes of posts that lay in the entries of the ring, where payload could have been. */
  readonly ringPayloadBytes: number;
  /** Events that it sent. */
  readonly events: number;
  /** Events that were lost, because too many waited. */
  readonly eventsLost: number;
  /** Pages that it looked at when memory was registered. */
  readonly pagesVerified: number;
  /** Pages that are registered now. */
  readonly pagesRegistered: number;
}

/** A provider that was opened. */
export interface ProviderInstance {
  /** Undefined where no bad network can be simulated. */
  readonly faults?: FaultControl | undefined;
  /** The devices that it offers. */
  readonly devices: readonly DeviceOps[];
  /** The guests of the machine, of all threads, where a split driver has some. */
  readonly guests?: (() => readonly GuestCounters[]) | undefined;
  /** Structured-clonable; another thread joins with it. Undefined where threads can't share devices. */
  readonly machine: unknown;
  /** Releases everything, also what contexts left open. */
  close(): void;
}

/** A provider, as its package exports it. */
export interface ProviderDefinition<Config = unknown> {
  /** As configurations name it. */
  readonly name: string;
  /** Has to be {@link DRIVER_ABI}. */
  readonly driverAbi: typeof DRIVER_ABI;
  /**
   * Checks the provider's part of the configuration and fills in defaults. Throws a `VerbsError` that names the key, the value
   * and what would be right.
   */
  parseConfig(value: unknown): Config;
  /**
   * Keys of its configuration that say what a machine is made of: a program that joins a machine and gives one of them is refused, since
   * the machine is there already. Optional.
   */
  readonly machineKeys?: readonly string[];
  /** User halves of its drivers, where its devices have direct access. */
  readonly userDrivers?: readonly UserDriver[];
  /** What `doctor` says of it: each finding with its cure. Optional. */
  diagnose?(): readonly ProviderFinding[];
  /** Opens the provider, with its part of the configuration as `parseConfig` returned it. */
  open(environment: ProviderEnvironment, config: Config): ProviderInstance;
}

/** One finding of {@link ProviderDefinition.diagnose}. */
export interface ProviderFinding {
  /** What was looked at. */
  readonly check: string;
  /** Whether it is as it should be. */
  readonly ok: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do about it; empty when ok. */
  readonly cure: string;
}

/** Declares a provider. A provider's package exports the result as `provider`. */
export function defineProvider<Config>(definition: ProviderDefinition<Config>): ProviderDefinition<Config> {
  return Object.freeze(definition);
}
