/** Attacks, generated from the table of commands: all of a request is as it should be but for one field, or for words that lie. */
import type { Command } from '../../src/protocol/command.ts';
import { Commands, RegionUse } from '../../src/protocol/commands.ts';
import type { CommandName } from '../../src/protocol/commands.ts';
import { readAll } from '../../src/protocol/field.ts';
import { WordReader } from '../../src/protocol/words.ts';
import { BULK_WORDS, ENTRY_ARGUMENT_WORDS } from '../../src/protocol/limits.ts';
import { requestWords } from './hostile-frontend.ts';
import type { HostileFrontend, Message, Reply } from './hostile-frontend.ts';
import type { Random } from './random.ts';

/** Kinds of objects by the fields that name them. */
const KIND_OF: Readonly<Record<string, string>> = {
  context: 'context',
  pd: 'pd',
  cq: 'cq',
  sendCq: 'cq',
  recvCq: 'cq',
  srq: 'srq',
  qp: 'qp',
  xrcd: 'xrcd',
  mr: 'mr',
  key: 'ring',
  mw: 'mw',
  ah: 'ah',
  region: 'region',
};
/** What a bare command makes, by its name. */
const MADE_BY: Partial<Record<CommandName, string>> = {
  OPEN_CONTEXT: 'context',
  ALLOC_PD: 'pd',
  OPEN_XRCD: 'xrcd',
  BEGIN_REGION: 'region',
  ALLOC_NULL_MR: 'mr',
  GET_DMA_MR: 'mr',
  ALLOC_MW: 'mw',
  CREATE_AH: 'ah',
  CREATE_CQ: 'cq',
  CREATE_QP: 'qp',
  CREATE_SRQ: 'srq',
};
/** Attacks until it sees to it that there is one of each kind to attack. */
const ATTACKS_PER_PREPARATION = 25;
/** Objects of a kind that are remembered. */
const KEPT_MAX = 16;

const all = Object.entries(Commands) as unknown as [
  CommandName,
  Command<Record<string, unknown>, Record<string, unknown>>,
][];

/** Every handler, with every field that its request has. */
function targets(random: Random): { readonly name: CommandName; readonly field: string }[] {
  return all.flatMap(([name, { request }]) => Object.keys(request.draw(random.next)).map((field) => ({ name, field })));
}

export class Attacker {
  readonly #random: Random;
  readonly #front: HostileFrontend;
  /** Numbers of objects of others: they are what it guesses. */
  readonly #foreign: readonly number[];
  readonly #frames: readonly number[];
  readonly #bypass: boolean;
  /** Objects that it was given, by kind: most live, some have ended. */
  readonly #own = new Map<string, number[]>();
  /** By the word that a command begins with. */
  readonly done = new Map<string, number>();

  /** @param frames - pages, some of them its own */
  constructor(
    front: HostileFrontend,
    random: Random,
    { foreign, frames, bypass }: { foreign: readonly number[]; frames: readonly number[]; bypass: boolean },
  ) {
    this.#front = front;
    this.#random = random;
    this.#foreign = foreign;
    this.#frames = frames;
    this.#bypass = bypass;
  }

  /** A request that may well be carried out. */
  message(name: CommandName): Message {
    return { number: Commands[name].number, words: this.#encode(name, this.#plausible(name)) };
  }

  /** One field of a command is hostile. */
  attackField(name: CommandName, field: string): void {
    const request = this.#plausible(name);
    const kind = KIND_OF[field];
    if (kind !== undefined) request[field] = this.#hostileHandle(kind);
    else request[field] = Commands[name].request.draw(this.#random.next)[field as never];
    this.#run(name, { number: Commands[name].number, words: this.#encode(name, request) });
  }

  /** The words of a command are not what they should be. */
  attackWords(name: CommandName): void {
    const random = this.#random;
    const words = [...this.#encode(name, this.#plausible(name))];
    const message = { number: Commands[name].number, words };
    const lies: (() => Message)[] = [
      () => ({ ...message, words: words.slice(0, random.below(words.length + 1)) }),
      () => ({ ...message, words: [...words, random.next()] }),
      () => ({
        ...message,
        length: random.pick([-1, ENTRY_ARGUMENT_WORDS + 1, BULK_WORDS, BULK_WORDS + 1, random.next() | 0]),
      }),
      () => ({ ...message, bulk: random.pick([0, 1, 2, -1]) }),
      () => ({ ...message, bulk: 1, length: random.pick([0, BULK_WORDS, BULK_WORDS + 1, -0x80000000, 0x7fffffff]) }),
      () => ({ ...message, number: random.pick([0, -1, random.below(256), random.next() | 0]) }),
      () => ({ ...message, words: words.map((word) => (random.below(3) === 0 ? random.next() | 0 : word)) }),
      () => ({ ...message, words: words.map((word) => word ^ (1 << random.below(32))) }),
    ];
    this.#run(name, random.pick(lies)());
  }

  /** Makes one of each kind, as far as it has none, so that attacks reach what lies behind the first check. */
  prepare(): void {
    for (let turn = 0; turn < 2; turn++) {
      for (const [name] of all.filter(([each]) => MADE_BY[each] !== undefined)) {
        const kind = MADE_BY[name]!;
        if ((this.#own.get(kind) ?? []).length > 0 && this.#random.below(4) > 0) continue;
        const request = this.#plausible(name);
        if (name === 'OPEN_XRCD') Object.assign(request, { inode: null, oflags: 0o100 });
        this.#run(name, { number: Commands[name].number, words: this.#encode(name, request) });
      }
    }
    if ((this.#own.get('mr') ?? []).length === 0) this.#region(RegionUse.MEMORY);
    if (this.#bypass && (this.#own.get('ring') ?? []).length === 0) this.#region(RegionUse.RINGS);
  }

  /** Attacks every field of every handler once, and then `count` times at random. `between` is called after each. */
  attackAll(count: number, between: (attacks: number) => void): void {
    const random = this.#random;
    const everything = targets(random);
    const names = Object.keys(Commands) as CommandName[];
    let attacks = 0;
    const done = (): void => {
      if (++attacks % ATTACKS_PER_PREPARATION === 0) this.prepare();
      between(attacks);
    };
    this.prepare();
    for (const { name, field } of everything) {
      this.attackField(name, field);
      done();
    }
    while (attacks < everything.length + count) {
      if (random.below(2) === 0) this.attackWords(random.pick(names));
      else {
        const { name, field } = random.pick(everything);
        this.attackField(name, field);
      }
      done();
    }
  }

  #region(use: number): void {
    const region = { use, iova: 0x10000, length: 4096, firstOffset: 0, pages: 1, access: 1 };
    const begin = { ...this.#plausible('BEGIN_REGION'), ...region };
    const reply = this.#run('BEGIN_REGION', {
      number: Commands.BEGIN_REGION.number,
      words: this.#encode('BEGIN_REGION', begin),
    });
    if (reply.error !== null) return;
    const handle = reply.words[0] >>> 0;
    const pages = [this.#frames[0]];
    this.#run('ADD_PAGES', {
      number: Commands.ADD_PAGES.number,
      words: requestWords(Commands.ADD_PAGES, { region: handle, pages }),
    });
    const { words, error } = this.#front.send({ number: Commands.END_REGION.number, words: [handle] });
    if (error === null) this.#keep(use === RegionUse.RINGS ? 'ring' : 'mr', words[0] >>> 0);
  }

  /** A request that may well be carried out. */
  #plausible(name: CommandName): Record<string, unknown> {
    const random = this.#random;
    const request: Record<string, unknown> = {
      ...(Commands[name].request.draw(random.next) as Record<string, unknown>),
    };
    for (const field of Object.keys(request)) {
      const kind = KIND_OF[field];
      if (kind !== undefined) request[field] = this.#ownHandle(kind);
    }
    const optional = { key: this.#bypass ? 2 : 8, xrcd: 4, srq: name === 'CREATE_QP' ? 2 : 0 };
    for (const [field, of] of Object.entries(optional)) {
      if (name.startsWith('CREATE_') && field in request && of > 0 && random.below(of) > 0) request[field] = 0;
    }
    if (name.startsWith('RESIZE') || name.startsWith('MODIFY_SRQ')) request['key'] = 0;
    if ('consumed' in request) request['consumed'] = 0;
    if ('cqe' in request) request['cqe'] = 1 + random.below(64);
    if ('compVector' in request) request['compVector'] = 0;
    if ('qpType' in request) request['qpType'] = random.pick([2, 2, 3, 4, 9, 10]);
    if (name === 'CREATE_QP') {
      request['cap'] = { maxSendWr: 1 + random.below(8), maxRecvWr: 1, maxSendSge: 1, maxRecvSge: 1, maxInlineData: 0 };
    }
    if (name === 'CREATE_SRQ') request['attr'] = { maxWr: 1 + random.below(8), maxSge: 1, srqLimit: 0 };
    if (name === 'ALLOC_MW') request['type'] = 1 + random.below(2);
    if ('port' in request) request['port'] = 1;
    if (name === 'BEGIN_REGION') {
      const pages = 1 + random.below(4);
      const use = random.below(3);
      Object.assign(request, { use, pages, firstOffset: 0, length: pages * 4096, iova: 0, access: random.below(8) });
    }
    if (name === 'ADD_PAGES')
      request['pages'] = Array.from({ length: 1 + random.below(3) }, () => random.pick(this.#frames));
    if (name === 'OPEN_XRCD' && random.below(2) === 0) request['oflags'] = 0o100;
    return request;
  }

  #ownHandle(kind: string): number {
    const own = this.#own.get(kind) ?? [];
    // The youngest, most of the time: what is older may have gone with its context.
    return own.length === 0 ? 0 : this.#random.below(3) > 0 ? own[own.length - 1] : this.#random.pick(own);
  }

  #hostileHandle(kind: string): number {
    const random = this.#random;
    const others = [...this.#own.values()].flat();
    return random.pick([
      0,
      0xffffffff,
      random.next(),
      random.below(64),
      random.pick([0, ...this.#foreign]),
      random.pick([0, ...others]),
      this.#ownHandle(kind),
    ]);
  }

  #encode(name: CommandName, request: unknown): Int32Array {
    return requestWords(Commands[name] as Command<unknown, unknown>, request);
  }

  #run(name: CommandName, message: Message): Reply {
    this.done.set(name, (this.done.get(name) ?? 0) + 1);
    const reply = this.#front.send(message);
    const kind = MADE_BY[name];
    if (kind === undefined || reply.error !== null || message.number !== Commands[name].number) return reply;
    const made = readAll(Commands[name].response as never, new WordReader(reply.words, reply.words.length));
    this.#keep(kind, Object.values(made as Record<string, number>)[0]);
    return reply;
  }

  #keep(kind: string, handle: number): void {
    const own = this.#own.get(kind) ?? [];
    own.push(handle);
    if (own.length > KEPT_MAX) own.shift();
    this.#own.set(kind, own);
  }
}
