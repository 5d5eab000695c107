/** The devices that a conformance run works on, as whoever runs it opens them. */
import type { Device } from '@openverbs/verbs';

/** The devices of a subject while a run lasts. */
export interface ConformanceSession {
  /** The first is tested; the other ends of connections are on the last, which may be the same. */
  readonly devices: readonly Device[];
  /** What another thread would join with; undefined where none can. */
  readonly machine?: unknown;
  /**
   * Does what another thread does with a copy of `machine` that it was sent: opens the devices once more, through nothing but it. Needed where
   * the manifest claims `sharesMachine`.
   */
  readonly join?: ((machine: unknown) => ConformanceSession | Promise<ConformanceSession>) | undefined;
  /** Closes the devices. Called once, after the last test that works on them. */
  close(): void | Promise<void>;
}
