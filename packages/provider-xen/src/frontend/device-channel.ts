/** The front-end's end of the device channel: one command at a time, and its answer. */
import type { Domain } from '@openverbs/hypervisor';
import { FrontRing, RingTake } from '@openverbs/hypervisor';
import { hostClock } from '@openverbs/machine';
import { VerbsError } from '@openverbs/verbs';
import type { ErrnoName } from '@openverbs/verbs';
import { BulkArea } from '../channel/bulk-area.ts';
import { EntryWord } from '../channel/entry.ts';
import { SharedPage } from '../channel/shared-page.ts';
import { beginTrace, endTrace } from '../channel/tracing.ts';
import type { Command } from '../protocol/command.ts';
import { failure, Status } from '../protocol/commands.ts';
import { readAll } from '../protocol/field.ts';
import { WordReader, WordWriter } from '../protocol/words.ts';
import {
  BULK_WORDS,
  COMMAND_TIMEOUT_NS,
  ENTRY_ARGUMENT_WORDS,
  ENTRY_HEADER_WORDS,
  ENTRY_WORDS,
} from '../protocol/limits.ts';
import type { CommandChannel } from './command-channel.ts';
import type { SharedChannel } from './xenbus-frontend.ts';

/** Looks for an answer between two looks whether the back-end is still there. */
const LOOKS_PER_CHECK = 512;

/** What the channel asks of its front-end. */
export interface ChannelOwner {
  /** Whether the back-end is still there. */
  isConnected(): boolean;
  /** Takes events that are pending. */
  takePorts(): void;
}

export class DeviceChannel implements CommandChannel {
  /** Commands so far. */
  requests = 0;
  /** Times that the back-end had to be told of one. */
  notifications = 0;
  readonly #domain: Domain;
  readonly #port: number;
  readonly #ring: FrontRing;
  readonly #bulk: BulkArea;
  readonly #front: ChannelOwner;
  readonly #entry = new Int32Array(ENTRY_WORDS);
  readonly #words = new Int32Array(BULK_WORDS);
  readonly #device: string;
  #id = 0;

  constructor(domain: Domain, { pages, port }: SharedChannel, front: ChannelOwner) {
    this.#device = `domain ${domain.domid}`;
    this.#domain = domain;
    this.#port = port;
    this.#front = front;
    this.#ring = new FrontRing(pages.page(SharedPage.RING), ENTRY_WORDS);
    this.#bulk = new BulkArea(pages);
  }

  call<Q, R>(command: Command<Q, R>, request: Q): R {
    const writer = new WordWriter(this.#words);
    command.request.write(writer, request);
    const beganNs = beginTrace();
    this.#send(command, writer.length);
    this.#receive(command.number);
    endTrace('front-end', this.#device, this.#id, command.number, beganNs);
    const entry = this.#entry;
    const length = entry[EntryWord.LENGTH];
    const words = this.#words;
    if (entry[EntryWord.BULK] !== 0) this.#bulk.read(words, length);
    else words.set(entry.subarray(ENTRY_HEADER_WORDS, ENTRY_HEADER_WORDS + length));
    const reader = new WordReader(words, length);
    if (entry[EntryWord.COMMAND] === Status.OK) return readAll(command.response, reader);
    const { code, message, hint } = readAll(failure, reader);
    throw new VerbsError({ code: code as ErrnoName, message, hint });
  }

  #send({ number, bulk }: { readonly number: number; readonly bulk: boolean }, length: number): void {
    const entry = this.#entry;
    const throughBulk = bulk || length > ENTRY_ARGUMENT_WORDS;
    entry[EntryWord.ID] = this.#id = (this.#id + 1) | 0;
    entry[EntryWord.COMMAND] = number;
    entry[EntryWord.LENGTH] = length;
    entry[EntryWord.BULK] = throughBulk ? 1 : 0;
    if (throughBulk) this.#bulk.write(this.#words, length);
    else entry.set(this.#words.subarray(0, length), ENTRY_HEADER_WORDS);
    this.requests++;
    // A port that still has an event pending would not wake anybody.
    this.#front.takePorts();
    this.#ring.putRequest(entry);
    if (!this.#ring.pushRequests()) return;
    this.notifications++;
    this.#domain.eventChannels.notify(this.#port);
  }

  /** Waits for the answer, and copies it out of the ring. */
  #receive(number: number): void {
    const ring = this.#ring;
    let looks = 0;
    let connected = true;
    const answered = (): boolean => {
      if (ring.finalCheckForResponses()) return true;
      if (++looks % LOOKS_PER_CHECK === 0) connected = this.#front.isConnected();
      return !connected;
    };
    const deadlineNs = hostClock.nowNs() + COMMAND_TIMEOUT_NS;
    this.#domain.waitUntil(answered, deadlineNs, () => `the answer of the back-end to command ${number}`);
    if (ring.takeResponse(this.#entry) === RingTake.TAKEN && this.#entry[EntryWord.ID] === this.#id) return;
    throw new VerbsError({
      code: 'EIO',
      message: connected ? 'the back-end answered another command' : 'the back-end has closed the device',
      hint: 'open the device again',
    });
  }
}
