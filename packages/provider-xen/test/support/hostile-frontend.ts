/** A front-end that writes what it likes, wherever a guest can write: the ring, the bulk area, its nodes in xenstore. */
import type { SharedPages } from '@openverbs/hypervisor';
import { parseXenbusState, ringSize, SharedRing, XenbusState } from '@openverbs/hypervisor';
import { EntryWord } from '../../src/channel/entry.ts';
import type { Command } from '../../src/protocol/command.ts';
import { failure, Status } from '../../src/protocol/commands.ts';
import { readAll } from '../../src/protocol/field.ts';
import { WordReader, WordWriter } from '../../src/protocol/words.ts';
import { FrontendKey } from '../../src/protocol/handshake.ts';
import {
  BULK_PAGES,
  BULK_WORDS,
  ENTRY_ARGUMENT_WORDS,
  ENTRY_HEADER_WORDS,
  ENTRY_WORDS,
  PROTOCOL_VERSION,
} from '../../src/protocol/limits.ts';
import type { Settling } from './settling.ts';
import type { GuestParts } from './xen-machine.ts';

const PAGE_WORDS = 1024;
const RING_ENTRIES = ringSize(ENTRY_WORDS);
/** What no command may answer: it is the back-end's own fault. */
const OWN_FAULT = 'the back-end failed at this command';

/** A command as it stands on the ring. */
export interface Message {
  readonly number: number;
  readonly words: ArrayLike<number>;
  /** What the entry says; the truth if left out. */
  readonly length?: number;
  readonly bulk?: number;
}

/** An answer; `error` is what a refused command says. */
export interface Reply {
  readonly words: Int32Array;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Words of a request, as an honest front-end writes them. */
export function requestWords<Q, R>(command: Command<Q, R>, request: Q): Int32Array {
  const writer = new WordWriter(new Int32Array(BULK_WORDS));
  command.request.write(writer, request);
  return writer.words.slice(0, writer.length);
}

export class HostileFrontend {
  readonly guest: GuestParts;
  readonly #xen: Settling;
  #pages!: SharedPages;
  #ports: number[] = [];
  /** Requests that were put on the ring. */
  #produced = 0;

  constructor(xen: Settling, guest: GuestParts) {
    this.#xen = xen;
    this.guest = guest;
  }

  get port(): number {
    return this.#ports[0];
  }

  get eventPort(): number {
    return this.#ports[1];
  }

  /** The back-end's state. */
  get state(): number {
    const { xenstore } = this.guest.domain;
    return parseXenbusState(xenstore.tryRead(`${xenstore.read(`${this.guest.path}/backend`)}/state`));
  }

  /** Words of one of the pages that are granted: the ring, the events, the bulk area. */
  page(index: number): { readonly i32: Int32Array; readonly word: number } {
    return this.#pages.page(index);
  }

  /** Grants pages and allocates ports, and tells of them in xenstore; `keys` stand instead of what would be right. */
  publish(keys: Readonly<Record<string, string>> = {}): void {
    const { grantTable, eventChannels } = this.guest.domain;
    this.release();
    this.#pages = grantTable.sharePages(0, 2 + BULK_PAGES);
    this.#ports = [eventChannels.allocUnbound(0), eventChannels.allocUnbound(0)];
    const [ring, events, ...bulk] = this.#pages.refs;
    const { i32, word } = this.page(0);
    i32.fill(0, word, word + PAGE_WORDS);
    this.#produced = 0;
    const all: Record<string, string> = {
      [FrontendKey.VERSION]: String(PROTOCOL_VERSION),
      [FrontendKey.RING_REF]: String(ring),
      [FrontendKey.EVENT_CHANNEL]: String(this.#ports[0]),
      [FrontendKey.EVENT_RING_REF]: String(events),
      [FrontendKey.EVENT_RING_CHANNEL]: String(this.#ports[1]),
      ...Object.fromEntries(bulk.map((ref, n) => [`${FrontendKey.BULK_REF}${n}`, String(ref)])),
      ...keys,
    };
    for (const [name, value] of Object.entries(all)) this.write(name, value);
  }

  write(name: string, value: string): void {
    this.guest.domain.xenstore.write(`${this.guest.path}/${name}`, value);
  }

  /** @param answers - states of the back-end that answer it, where that is on another thread */
  setState(state: number | string, ...answers: readonly number[]): void {
    this.write('state', String(state));
    this.#xen.settle(() => answers.length === 0 || answers.includes(this.state));
  }

  /** The whole handshake, from any state. @returns whether the back-end has connected */
  connect(keys: Readonly<Record<string, string>> = {}): boolean {
    const { INITIALISING, INIT_WAIT, INITIALISED, CONNECTED, CLOSING, CLOSED } = XenbusState;
    if (this.state === CONNECTED) this.setState(CLOSING, CLOSED);
    this.setState(INITIALISING, INIT_WAIT);
    this.publish(keys);
    this.setState(INITIALISED, CONNECTED, CLOSED);
    if (this.state !== CONNECTED) return false;
    this.setState(CONNECTED);
    return true;
  }

  /** Takes back what was granted, which the back-end must have let go. */
  release(): void {
    for (const port of this.#ports) this.guest.domain.eventChannels.close(port);
    if (this.#ports.length > 0) this.#pages.unshare();
    this.#ports = [];
  }

  /** Has a command done as an honest front-end would; throws when it is refused. */
  call<Q, R>(command: Command<Q, R>, request: Q): R {
    const { words, error } = this.send({ number: command.number, words: requestWords(command, request) });
    if (error !== null) throw new Error(`command ${command.number}: ${error.code}: ${error.message}`);
    return readAll(command.response, new WordReader(words, words.length));
  }

  /** What a command is refused with. */
  refusal<Q, R>(command: Command<Q, R>, request: Q): string {
    const { error } = this.send({ number: command.number, words: requestWords(command, request) });
    return error === null ? 'it is not refused' : `${error.code}: ${error.message}`;
  }

  /** Puts a command on the ring. */
  put(message: Message): void {
    this.place(message);
    this.show(1);
  }

  /** Writes a command into the next entry of the ring, and does not show it. */
  place({ number, words, length = words.length, bulk = Number(words.length > ENTRY_ARGUMENT_WORDS) }: Message): void {
    const { i32 } = this.page(0);
    const entry = this.#entry(this.#produced);
    i32.fill(0, entry, entry + ENTRY_WORDS);
    i32[entry + EntryWord.ID] = this.#produced;
    i32[entry + EntryWord.COMMAND] = number;
    i32[entry + EntryWord.LENGTH] = length;
    i32[entry + EntryWord.BULK] = bulk;
    if (bulk !== 0) this.#writeBulk(words);
    else {
      const end = Math.min(words.length, ENTRY_ARGUMENT_WORDS);
      for (let n = 0; n < end; n++) i32[entry + ENTRY_HEADER_WORDS + n] = words[n];
    }
  }

  /** Shows whatever stands in the next entries. */
  show(count: number): void {
    const { i32, word } = this.page(0);
    this.#produced = (this.#produced + count) | 0;
    Atomics.store(i32, word + SharedRing.REQ_PROD, this.#produced);
  }

  /** Puts a command on the ring, and waits for the answer. */
  send(message: Message): Reply {
    this.put(message);
    const { i32, word } = this.page(0);
    this.#xen.settle(() => Atomics.load(i32, word + SharedRing.RSP_PROD) === this.#produced);
    return this.lastReply();
  }

  /** The answer to the last command. */
  lastReply(): Reply {
    const { i32, word } = this.page(0);
    const produced = Atomics.load(i32, word + SharedRing.RSP_PROD);
    if (produced !== this.#produced) throw new Error(`${this.#produced} requests, and ${produced} answers`);
    const entry = this.#entry(this.#produced - 1);
    const length = i32[entry + EntryWord.LENGTH];
    const words = i32[entry + EntryWord.BULK] === 0 ? this.#inEntry(entry, length) : this.#inBulk(length);
    if (i32[entry + EntryWord.COMMAND] === Status.OK) return { words, error: null };
    const error = readAll(failure, new WordReader(words, length));
    if (error.message === OWN_FAULT) throw new Error(OWN_FAULT);
    return { words, error };
  }

  #entry(index: number): number {
    return this.page(0).word + SharedRing.ENTRIES + (index & (RING_ENTRIES - 1)) * ENTRY_WORDS;
  }

  #writeBulk(words: ArrayLike<number>): void {
    for (let n = 0; n < Math.min(words.length, BULK_WORDS); n++) {
      const { i32, word } = this.page(2 + Math.floor(n / PAGE_WORDS));
      i32[word + (n % PAGE_WORDS)] = words[n];
    }
  }

  #inEntry(entry: number, length: number): Int32Array {
    return this.page(0).i32.slice(entry + ENTRY_HEADER_WORDS, entry + ENTRY_HEADER_WORDS + length);
  }

  #inBulk(length: number): Int32Array {
    return Int32Array.from({ length }, (_, n) => {
      const { i32, word } = this.page(2 + Math.floor(n / PAGE_WORDS));
      return i32[word + (n % PAGE_WORDS)];
    });
  }
}
