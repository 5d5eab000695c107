/** A front-end: the driver of one device in a guest. Connects to the back-end, opens contexts, and takes the events. */
import type { Domain, Mapping } from '@openverbs/hypervisor';
import { VerbsError } from '@openverbs/verbs';
import type { ContextOps, CqePollerOps, UserDriver, UserHalf } from '@openverbs/verbs/driver';
import { EventRingConsumer } from '../channel/event-ring.ts';
import { guestCountsIn } from '../channel/guest-counts.ts';
import { SharedPage } from '../channel/shared-page.ts';
import { asVerbsError } from '../hypervisor-errors.ts';
import { Commands } from '../protocol/commands.ts';
import type { GrantedUserHalf } from '../protocol/commands.ts';
import { EVENT_WORDS, EventWord } from '../protocol/events.ts';
import { BasicQueues } from './basic-queues.ts';
import { BypassQueues } from './bypass-queues.ts';
import { Cookies } from './cookies.ts';
import { DeviceChannel } from './device-channel.ts';
import { ContextEventSource } from './event-source.ts';
import type { EventFeed } from './event-source.ts';
import { GuestBuffers } from './guest-memory.ts';
import type { GuestMemory } from './guest-memory.ts';
import { GuestStatistics } from './guest-statistics.ts';
import { QpStates } from './qp-states.ts';
import type { Queues } from './queues.ts';
import { XenContext } from './xen-context.ts';
import type { SharedChannel } from './xenbus-frontend.ts';
import { XenbusFrontend } from './xenbus-frontend.ts';

/** What a front-end is given. */
export interface FrontendInit {
  readonly domain: Domain;
  readonly memory: GuestMemory;
  /** Its directory in xenstore. */
  readonly path: string;
  /** User halves of drivers, by name: the back-end says which one the lower device wants. */
  readonly userDrivers: Readonly<Record<string, UserDriver>>;
  /** The machine memory of this thread, for a user half. */
  readonly machine: unknown;
  readonly wallclockOffsetNs: () => number;
  /** Basic: makes the pollers of CQs. */
  readonly cqePoller: CqePollerOps;
  /** Basic: whether a trip to a CQ fetches all that it holds. */
  readonly cqeBuffering: boolean;
  /** Runs what has to run on this thread for events to come: a device domain that is placed here. */
  readonly tend: () => void;
  /** Keeps such a domain listening while somebody waits. */
  readonly hold: () => () => void;
}

/** A connection to the back-end. */
interface Connected {
  readonly shared: SharedChannel;
  readonly channel: DeviceChannel;
  readonly events: EventRingConsumer;
  /** What the back-end is told of, for eyes. */
  readonly counts: Float64Array;
}

export class Frontend implements EventFeed {
  readonly #init: FrontendInit;
  readonly #xenbus: XenbusFrontend;
  readonly #sources = new Map<number, ContextEventSource>();
  readonly #contexts = new Set<XenContext>();
  readonly #event: Record<number, number> = {};
  #connected: Connected | null = null;
  #holds = 0;
  #stopListening: AbortController | null = null;
  #releaseTended: () => void = () => undefined;
  /** Commands and notifications of connections that have ended. */
  #past = { requests: 0, notifications: 0 };
  /** Events that came over the event channel. */
  events = 0;
  readonly statistics = new GuestStatistics();

  constructor(init: FrontendInit) {
    this.#init = init;
    this.#xenbus = new XenbusFrontend(init.domain, init.path);
    for (let word = 0; word < EVENT_WORDS; word++) this.#event[word] = 0;
  }

  get xenbus(): XenbusFrontend {
    return this.#xenbus;
  }

  /** Commands on the device channel so far, and how many of them the back-end had to be told of. */
  get counters(): { readonly requests: number; readonly notifications: number } {
    const { requests = 0, notifications = 0 } = this.#connected?.channel ?? {};
    return { requests: this.#past.requests + requests, notifications: this.#past.notifications + notifications };
  }

  /** Opens a context. Connects anew when the back-end was away. */
  open(): ContextOps {
    const { channel } = this.#connect();
    const { context, userHalf } = channel.call(Commands.OPEN_CONTEXT, {});
    try {
      return this.#context(channel, context, userHalf);
    } catch (error) {
      channel.call(Commands.CLOSE_CONTEXT, { context });
      throw error;
    }
  }

  pump(): void {
    // A program on this thread may outlive its domain: nothing comes for it any more.
    if (!this.#init.domain.alive) return;
    this.#init.tend();
    this.#takePorts();
    this.#publish();
    this.#takeEvents();
  }

  /**
   * Takes what is pending at both ports. Of the device channel's it only wakes; of the other one the events are taken at once, or nobody
   * would be woken by them any more.
   */
  #takePorts(): void {
    const { eventChannels } = this.#init.domain;
    let hasEvents = false;
    for (let port = eventChannels.take(); port !== 0; port = eventChannels.take()) {
      hasEvents ||= port === this.#connected?.shared.eventPort;
      eventChannels.unmask(port);
    }
    if (hasEvents) this.#takeEvents();
  }

  #takeEvents(): void {
    const ring = this.#connected?.events;
    const event = this.#event;
    while (ring?.take(event) === true) {
      this.events++;
      const source = this.#sources.get(event[EventWord.CONTEXT]);
      source?.push(event);
    }
  }

  /** A registration of so many pages was answered by a cache above. */
  registrationSaved(pages: number): void {
    const { statistics } = this;
    statistics.cacheHits++;
    statistics.cachePagesSaved += pages;
    if (this.#connected !== null) statistics.publishSaved(this.#connected.counts);
  }

  hold(): void {
    if (this.#holds++ !== 0) return;
    this.#releaseTended = this.#init.hold();
    this.#stopListening = new AbortController();
    void this.#listen(this.#stopListening.signal);
  }

  release(): void {
    if (--this.#holds !== 0) return;
    this.#stopListening?.abort();
    this.#stopListening = null;
    this.#releaseTended();
  }

  /** Ends the contexts that are open, and the connection. */
  close(): void {
    for (const context of [...this.#contexts]) context.close();
    this.#disconnect();
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { eventChannels } = this.#init.domain;
    this.pump();
    while (!signal.aborted) {
      try {
        eventChannels.unmask(await eventChannels.waitAsync({ signal }));
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      this.pump();
    }
  }

  #connect(): Connected {
    if (this.#connected !== null) {
      if (this.#xenbus.connected) return this.#connected;
      this.#disconnect();
    }
    const { domain } = this.#init;
    const shared = this.#xenbus.connect();
    const eventPage = shared.pages.page(SharedPage.EVENTS);
    const channel = new DeviceChannel(domain, shared, {
      isConnected: () => this.#xenbus.connected,
      takePorts: () => {
        this.#takePorts();
        this.#publish();
      },
    });
    const [events, counts] = [new EventRingConsumer(eventPage), guestCountsIn(eventPage)];
    this.#connected = { shared, channel, events, counts };
    this.#publish();
    return this.#connected;
  }

  /** Tells the back-end what is counted here. */
  #publish(): void {
    const connected = this.#connected;
    if (connected !== null) this.statistics.publish(connected.counts, this.counters.notifications);
  }

  #disconnect(): void {
    if (this.#connected === null) return;
    this.#publish();
    const { requests, notifications } = this.#connected.channel;
    this.#past = { requests: this.#past.requests + requests, notifications: this.#past.notifications + notifications };
    this.#connected = null;
    this.#xenbus.disconnect();
  }

  #context(channel: DeviceChannel, context: number, userHalf: GrantedUserHalf | null): XenContext {
    const { memory, wallclockOffsetNs, cqePoller, cqeBuffering } = this.#init;
    const cookies = new Cookies();
    const qpStates = new QpStates();
    const events = new ContextEventSource(this, cookies, qpStates);
    let queues: Queues;
    let uar: Mapping | null = null;
    if (userHalf === null) {
      const { pollerCounts } = this.statistics;
      queues = new BasicQueues({ context, channel, memory, cookies, qpStates, cqePoller, cqeBuffering, pollerCounts });
    } else {
      uar = this.#mapUar(userHalf);
      queues = new BypassQueues({ context, channel, memory, userHalf: this.#openUserHalf(userHalf, uar), cookies });
    }
    const opened = new XenContext({
      context,
      channel,
      buffers: new GuestBuffers(memory),
      queues,
      qpStates,
      uar,
      events,
      wallclockOffsetNs,
      onClosed: (closed) => {
        this.#sources.delete(context);
        this.#contexts.delete(closed);
      },
    });
    this.#sources.set(context, events);
    this.#contexts.add(opened);
    return opened;
  }

  /** Doorbells go where this is mapped; what was not granted can't be. */
  #mapUar({ refs }: GrantedUserHalf): Mapping {
    return asVerbsError(() => this.#init.domain.grantTable.map(this.#xenbus.backendDomid, refs));
  }

  /** The user half of the lower driver, over a UAR that is mapped; when that can't be it is unmapped again. */
  #openUserHalf({ driver, words }: GrantedUserHalf, uar: Mapping): UserHalf {
    const { memory, machine } = this.#init;
    const inlineSource = (addr: number, length: number): number => memory.locate(addr, length);
    try {
      const pages = Array.from({ length: uar.count }, (_, n) => uar.page(n).word * 4);
      return this.#driver(driver).open({ driver, pages, words }, { machine, inlineSource });
    } catch (error) {
      uar.unmap();
      throw error;
    }
  }

  #driver(name: string): UserDriver {
    const { userDrivers } = this.#init;
    if (Object.hasOwn(userDrivers, name)) return userDrivers[name];
    throw new VerbsError({
      code: 'EOPNOTSUPP',
      message: `the lower device wants the user half of the driver '${name}', which this guest does not have`,
      hint: "set xen.mode to 'basic'",
    });
  }
}
