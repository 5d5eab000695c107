/**
 * A front-end that is connected: takes its requests off the ring, has each done, answers, and forwards its events.
 *
 * A request is copied out of shared memory once; what is checked is the copy.
 */
import type { Domain, Mapping } from '@openverbs/hypervisor';
import { BackRing, RingTake } from '@openverbs/hypervisor';
import { BulkArea } from '../channel/bulk-area.ts';
import { EntryWord } from '../channel/entry.ts';
import { EventRingProducer } from '../channel/event-ring.ts';
import { guestCountsIn } from '../channel/guest-counts.ts';
import { SharedPage } from '../channel/shared-page.ts';
import { beginTrace, endTrace } from '../channel/tracing.ts';
import { closeEach } from '../close-each.ts';
import { BULK_WORDS, ENTRY_ARGUMENT_WORDS, ENTRY_HEADER_WORDS, ENTRY_WORDS } from '../protocol/limits.ts';
import { Account } from './accounting.ts';
import { dispatch, isPost } from './dispatch.ts';
import { EventForwarder } from './event-forwarder.ts';
import type { Guest } from './guest.ts';
import type { FrontendKeys } from './xenbus-backend.ts';

/** Requests of one front-end in one go, so that the others have theirs: as many as a ring has entries. */
export const REQUESTS_PER_RUN = 32;

/** Of arguments that are none. */
const NO_LENGTH = -1;

/** The front-end's indices make no sense: nothing in the ring is believed any more. */
export class BrokenRing extends Error {}

export class Connection {
  readonly guest: Guest;
  readonly port: number;
  readonly eventPort: number;
  readonly #dom0: Domain;
  readonly #device: string;
  readonly #mapping: Mapping;
  readonly #ring: BackRing;
  readonly #bulk: BulkArea;
  readonly #events: EventForwarder;
  /** What the guest tells of itself. */
  readonly #told: Float64Array;
  readonly #entry = new Int32Array(ENTRY_WORDS);
  readonly #request = new Int32Array(BULK_WORDS);
  readonly #response = new Int32Array(BULK_WORDS);

  /**
   * Maps what the front-end grants, and binds its ports.
   *
   * @throws HypervisorError when it did not grant or allocate them; then nothing is mapped or bound
   */
  constructor(dom0: Domain, guest: Guest, { ringRef, eventRingRef, bulkRefs, port, eventPort }: FrontendKeys) {
    this.#dom0 = dom0;
    this.guest = guest;
    this.#device = `domain ${guest.domid}`;
    const { grantTable, eventChannels } = dom0;
    // In the order of `SharedPage`.
    this.#mapping = grantTable.map(guest.domid, [ringRef, eventRingRef, ...bulkRefs]);
    let bound = 0;
    try {
      this.port = bound = eventChannels.bindInterdomain(guest.domid, port);
      this.eventPort = eventChannels.bindInterdomain(guest.domid, eventPort);
    } catch (error) {
      if (bound !== 0) eventChannels.close(bound);
      this.#mapping.unmap();
      throw error;
    }
    const eventPage = this.#mapping.page(SharedPage.EVENTS);
    this.#ring = new BackRing(this.#mapping.page(SharedPage.RING), ENTRY_WORDS);
    this.#bulk = new BulkArea(this.#mapping);
    this.#told = guestCountsIn(eventPage);
    this.#events = new EventForwarder(guest, new EventRingProducer(eventPage));
  }

  /**
   * Has what waits in the ring done; false when there was nothing.
   *
   * @throws BrokenRing when the front-end's indices make no sense
   */
  serve(): boolean {
    let served = 0;
    while (served < REQUESTS_PER_RUN && this.#take()) {
      this.#answer();
      served++;
      if (this.#ring.pushResponses()) this.#dom0.eventChannels.notify(this.port);
    }
    return served > 0;
  }

  /** Forwards events; false when there were none, or no room for them. */
  forwardEvents(): boolean {
    if (!this.#events.run()) return this.#events.more;
    this.#dom0.eventChannels.notify(this.eventPort);
    return true;
  }

  /** Brings up to date what is not counted as it happens. */
  sample(): void {
    this.guest.sample(this.#told);
  }

  /** Takes everything back from the guest, and lets its pages go. */
  close(): void {
    const { eventChannels } = this.#dom0;
    closeEach([
      () => this.sample(),
      () => this.guest.reclaim(),
      () => eventChannels.close(this.port),
      () => eventChannels.close(this.eventPort),
      () => this.#mapping.unmap(),
    ]);
  }

  /** Copies a request out of the ring. Before it says that there is none, it asks to be told of the next. */
  #take(): boolean {
    const ring = this.#ring;
    let taken = ring.takeRequest(this.#entry);
    if (taken === RingTake.NONE && ring.finalCheckForRequests()) taken = ring.takeRequest(this.#entry);
    if (taken === RingTake.OVERFLOW)
      throw new BrokenRing('the front-end says that more requests wait than the ring holds');
    return taken === RingTake.TAKEN;
  }

  #answer(): void {
    const entry = this.#entry;
    const length = this.#arguments();
    const number = entry[EntryWord.COMMAND];
    const beganNs = beginTrace();
    const { status, length: words, bulk } = dispatch(this.guest, number, this.#request, length, this.#response);
    endTrace('back-end', this.#device, entry[EntryWord.ID], number, beganNs);
    const throughBulk = bulk || words > ENTRY_ARGUMENT_WORDS;
    entry[EntryWord.COMMAND] = status;
    entry[EntryWord.LENGTH] = words;
    entry[EntryWord.BULK] = throughBulk ? 1 : 0;
    if (throughBulk) this.#bulk.write(this.#response, words);
    else entry.set(this.#response.subarray(0, words), ENTRY_HEADER_WORDS);
    this.#ring.putResponse(entry);
  }

  /** Copies the arguments of the request; a length that can't be becomes one that no command has, not even one without arguments. */
  #arguments(): number {
    const entry = this.#entry;
    const length = entry[EntryWord.LENGTH];
    const throughBulk = entry[EntryWord.BULK] !== 0;
    if (length < 0 || length > (throughBulk ? BULK_WORDS : ENTRY_ARGUMENT_WORDS)) return NO_LENGTH;
    if (throughBulk) {
      this.#bulk.read(this.#request, length);
      return length;
    }
    if (isPost(entry[EntryWord.COMMAND])) this.guest.counts[Account.RING_PAYLOAD_BYTES] += 4 * length;
    this.#request.set(entry.subarray(ENTRY_HEADER_WORDS, ENTRY_HEADER_WORDS + length));
    return length;
  }
}
