/** Traffic of one thread with itself, over two devices, every byte of it checked. */
import type { OpenVerbs } from 'openverbs';
import { End } from './end.ts';
import { Rounds } from './rounds.ts';

/** See above. */
export class Traffic {
  readonly #here: End;
  readonly #there: End;
  readonly #rounds: Rounds;
  #next = 0;

  constructor(verbs: OpenVerbs, seed: number) {
    const { devices } = verbs;
    this.#here = new End(verbs.device());
    this.#there = new End(devices.at(-1) ?? verbs.device());
    this.#here.connect(this.#there.address);
    this.#there.connect(this.#here.address);
    this.#rounds = new Rounds(seed);
  }

  /** Rounds that were played. */
  get count(): number {
    return this.#next;
  }

  /** One round, there by a write and back by a send; throws when a byte is wrong or nothing comes. */
  play(): void {
    const [a, b] = [this.#here, this.#there];
    const round = this.#rounds.at(this.#next++);
    b.prepare(round, 0);
    a.write(round, 0);
    b.receiveByMemory(round, 0);
    a.prepareReceive(round, 1);
    b.send(round, 1);
    a.receiveByCompletion(round, 1);
  }

  close(): void {
    this.#here.close();
    this.#there.close();
  }
}
