/** Guests that die at every point of every command: all that they had is taken back, and honest guests of both modes go on. */
import { expect } from 'chai';
import type { ContextOps, DeviceOps } from '@openverbs/verbs/driver';
import { Commands } from '../../src/protocol/commands.ts';
import type { CommandName } from '../../src/protocol/commands.ts';
import { HonestGuest } from './honest-guest.ts';
import { HostileFrontend, requestWords } from './hostile-frontend.ts';
import type { Message } from './hostile-frontend.ts';
import { replacing } from './replacing.ts';
import { setStage } from './stage.ts';
import type { Request } from './stage.ts';
import { XenMachine } from './xen-machine.ts';

/** When it dies. */
export const DEATH_POINTS = [
  'before it is shown',
  'shown and not taken',
  'while it is carried out',
  'answered and not read',
] as const;

/** A command, and when its guest dies. */
export interface Death {
  readonly mode: 'basic' | 'bypass';
  /** Number of the request on a stage. */
  readonly request: number;
  readonly point: (typeof DEATH_POINTS)[number];
}

const MODES = ['basic', 'bypass'] as const;
const DEATHS_PER_PULSE = 10;

export class Deaths {
  readonly #xen: XenMachine;
  readonly #honest: readonly HonestGuest[];
  readonly #before: Record<string, number>;
  /** Called when the back-end is about to ask the lower device for something. */
  #onLower = (): void => undefined;
  #deaths = 0;
  /** Commands that were under way when their guest died. */
  readonly interrupted = new Set<CommandName>();

  constructor() {
    const wrapLower = (ops: DeviceOps): DeviceOps => replacing(ops, { open: () => this.#watched(ops.open()) });
    this.#xen = new XenMachine({ wrapLower });
    this.#honest = MODES.map((mode) => new HonestGuest(this.#xen, this.#xen.deviceOf(this.#xen.addGuest(mode))));
    this.#xen.destroy(this.#xen.addGuest('basic')); // the tables of its domain stay, for the next one
    this.#before = this.#xen.counts();
  }

  die({ mode, request, point }: Death): void {
    const xen = this.#xen;
    const front = new HostileFrontend(xen, xen.addGuest(mode));
    expect(front.connect()).to.equal(true);
    const [name, fields] = setStage(front).requests[request];
    const message = messageOf(name, fields);
    if (point === 'before it is shown') front.place(message);
    else front.put(message);
    if (point === 'while it is carried out') this.#dieWithin(front, name);
    if (point === 'answered and not read') xen.settle();
    if (front.guest.domain.alive) xen.destroyUnseen(front.guest);
    xen.settle();
    expect(xen.counts(), `${name}, ${point}, ${mode}`).to.deep.equal(this.#before);
    if (++this.#deaths % DEATHS_PER_PULSE === 0) for (const guest of this.#honest) guest.pulse();
  }

  close(): void {
    for (const { context } of this.#honest) context[Symbol.dispose]();
    this.#xen.close();
  }

  #dieWithin({ guest }: HostileFrontend, name: CommandName): void {
    this.#onLower = () => {
      this.#onLower = () => undefined;
      this.interrupted.add(name);
      this.#xen.destroyUnseen(guest);
    };
    this.#xen.settle();
    this.#onLower = () => undefined;
  }

  /** A lower context that tells before each thing that it is asked for. */
  #watched(ops: ContextOps): ContextOps {
    return new Proxy(ops, {
      get: (of, name): unknown => {
        const value: unknown = Reflect.get(of, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          this.#onLower();
          return Reflect.apply(value, of, args);
        };
      },
    });
  }
}

export function messageOf(name: CommandName, request: Request): Message {
  return { number: Commands[name].number, words: requestWords(Commands[name] as never, request as never) };
}
