/** The network while a program runs: bad and good by turns, and cut in two now and then. */
import { setFaults } from 'openverbs/testing';
import type { Cut, Program } from './program.ts';
import type { World } from './world.ts';

const NO_WEATHER = { drop: 0, duplicate: 0, reorder: 0, corrupt: 0 };

export class Network {
  readonly #program: Program;
  readonly #world: World;
  #changesNs: number;
  #isBad = false;
  #cut: { readonly devices: readonly number[]; readonly untilNs: number; readonly isLong: boolean } | null = null;

  constructor(program: Program, world: World) {
    this.#program = program;
    this.#world = world;
    this.#changesNs = world.clock.nowNs();
  }

  /** When it changes next. */
  get nextNs(): number {
    return Math.min(this.#changesNs, this.#cut?.untilNs ?? Infinity);
  }

  /** Changes what is due. */
  change(): void {
    const { weather, packets } = this.#program;
    const nowNs = this.#world.clock.nowNs();
    if (this.#cut !== null && this.#cut.untilNs <= nowNs) {
      this.#cut = null;
      setFaults(this.#world.verbs, { partition: [] });
    }
    if (this.#changesNs > nowNs) return;
    const isSteady = weather.steady === true;
    this.#isBad = isSteady || !this.#isBad;
    this.#changesNs = packets && !isSteady ? nowNs + (this.#isBad ? weather.badNs : weather.goodNs) : Infinity;
    if (!packets) return;
    const { drop, duplicate, reorder, corrupt, delay } = weather;
    this.#world.traffic.delays = delay > 0;
    setFaults(this.#world.verbs, this.#isBad ? { drop, duplicate, reorder, corrupt, delay } : { ...NO_WEATHER, delay });
  }

  /** Cuts devices off. */
  cutOff({ devices, lastsNs }: Cut): void {
    const names = devices.map((index) => this.#world.devices[index].name);
    setFaults(this.#world.verbs, { partition: [names] });
    const untilNs = this.#world.clock.nowNs() + lastsNs;
    this.#cut = { devices, untilNs, isLong: lastsNs > this.#program.weather.badNs };
  }

  /** Whether two devices are cut off from each other for longer than retries last. */
  separates(a: number, b: number): boolean {
    const cut = this.#cut;
    return cut !== null && cut.isLong && cut.devices.includes(a) !== cut.devices.includes(b);
  }
}
