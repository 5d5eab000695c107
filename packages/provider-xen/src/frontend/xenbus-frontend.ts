/** The front-end's half of the handshake: grants its pages, tells of them in xenstore, and waits for the back-end. */
import type { Domain, SharedPages } from '@openverbs/hypervisor';
import { parseXenbusState, XenbusState } from '@openverbs/hypervisor';
import { hostClock } from '@openverbs/machine';
import { VerbsError } from '@openverbs/verbs';
import { SHARED_PAGES } from '../channel/shared-page.ts';
import { BackendKey, FrontendKey, ToolstackKey } from '../protocol/handshake.ts';
import { HANDSHAKE_TIMEOUT_NS, PROTOCOL_VERSION } from '../protocol/limits.ts';

const { INIT_WAIT, INITIALISING, INITIALISED, CONNECTED, CLOSING, CLOSED } = XenbusState;

/** What the back-end says of the device. */
export interface BackendInfo {
  readonly nodeGuid: bigint;
  readonly nodeType: number;
  readonly transportType: number;
  readonly capabilities: readonly string[];
}

/** What a connected front-end shares with the back-end. */
export interface SharedChannel {
  readonly pages: SharedPages;
  /** Of the device channel. */
  readonly port: number;
  /** Of events. */
  readonly eventPort: number;
}

export class XenbusFrontend {
  readonly domain: Domain;
  readonly path: string;
  readonly backendPath: string;
  /** The domain of the back-end. */
  readonly backendDomid: number;
  #shared: SharedChannel | null = null;
  /** What was shared before, and is to be taken back: a back-end that takes too long may have it mapped still. */
  readonly #former: SharedChannel[] = [];

  /** @param path - the front-end's directory, as the toolstack made it */
  constructor(domain: Domain, path: string) {
    this.domain = domain;
    this.path = path;
    this.backendPath = domain.xenstore.read(`${path}/${ToolstackKey.BACKEND}`);
    this.backendDomid = Number(domain.xenstore.read(`${path}/${ToolstackKey.BACKEND_ID}`));
  }

  /** `basic` or `bypass`, as the toolstack wants it. */
  get mode(): string {
    return this.domain.xenstore.read(`${this.path}/${ToolstackKey.MODE}`);
  }

  /** Whether the back-end still is what it was when this connected. */
  get connected(): boolean {
    return this.#shared !== null && this.#backendState() === CONNECTED;
  }

  /** What the device is; waits until the back-end is ready to say so. */
  info(): BackendInfo {
    this.#await('to offer the device', INIT_WAIT, CONNECTED);
    const read = (key: string): string => this.domain.xenstore.read(`${this.backendPath}/${key}`);
    const version = Number(read(BackendKey.VERSION));
    if (version !== PROTOCOL_VERSION) {
      throw new VerbsError({
        code: 'EIO',
        message: `the back-end speaks version ${version} of the protocol, the front-end version ${PROTOCOL_VERSION}`,
        hint: 'use the same version of OpenVerbs in the guest and in the device domain',
      });
    }
    return {
      nodeGuid: BigInt(read(BackendKey.NODE_GUID)),
      nodeType: Number(read(BackendKey.NODE_TYPE)),
      transportType: Number(read(BackendKey.TRANSPORT_TYPE)),
      capabilities: read(BackendKey.CAPABILITIES).split(' '),
    };
  }

  /** Connects, and returns what is shared with the back-end from then on. */
  connect(): SharedChannel {
    this.#setState(INITIALISING);
    this.#await('to be ready for the front-end', INIT_WAIT);
    // A back-end that offers the device has let go of all it had.
    this.#takeBack();
    const shared = this.#share();
    try {
      this.#publish(shared);
      this.#await('to connect', CONNECTED);
      this.#setState(CONNECTED);
    } catch (error) {
      this.#shared = shared;
      this.disconnect();
      throw error;
    }
    this.#shared = shared;
    return shared;
  }

  /** Ends the connection, and takes the pages back once the back-end has let them go; if it takes too long, the next connection does. */
  disconnect(): void {
    const shared = this.#shared;
    if (shared === null) return;
    this.#shared = null;
    this.#former.push(shared);
    this.#setState(CLOSING);
    this.#await('to let go', CLOSED, INIT_WAIT, INITIALISING);
    this.#takeBack();
    this.#setState(CLOSED);
  }

  #takeBack(): void {
    const { eventChannels } = this.domain;
    for (let shared = this.#former.at(-1); shared !== undefined; shared = this.#former.at(-1)) {
      // First what may be refused.
      shared.pages.unshare();
      eventChannels.close(shared.port);
      eventChannels.close(shared.eventPort);
      this.#former.pop();
    }
  }

  #share(): SharedChannel {
    const { grantTable, eventChannels } = this.domain;
    const pages = grantTable.sharePages(this.backendDomid, SHARED_PAGES);
    const port = eventChannels.allocUnbound(this.backendDomid);
    return { pages, port, eventPort: eventChannels.allocUnbound(this.backendDomid) };
  }

  #publish({ pages, port, eventPort }: SharedChannel): void {
    const [ring, eventRing, ...bulk] = pages.refs;
    const entries: [string, number][] = [
      [FrontendKey.VERSION, PROTOCOL_VERSION],
      [FrontendKey.RING_REF, ring],
      [FrontendKey.EVENT_CHANNEL, port],
      [FrontendKey.EVENT_RING_REF, eventRing],
      [FrontendKey.EVENT_RING_CHANNEL, eventPort],
      ...bulk.map((ref, n): [string, number] => [`${FrontendKey.BULK_REF}${n}`, ref]),
      [ToolstackKey.STATE, INITIALISED],
    ];
    const { xenstore } = this.domain;
    xenstore.transaction((transaction) => {
      for (const [key, value] of entries) xenstore.write(`${this.path}/${key}`, String(value), transaction);
    });
  }

  #backendState(): number {
    return parseXenbusState(this.domain.xenstore.tryRead(`${this.backendPath}/${ToolstackKey.STATE}`));
  }

  #setState(state: number): void {
    this.domain.xenstore.write(`${this.path}/${ToolstackKey.STATE}`, String(state));
  }

  /** Waits until the back-end is in one of some states; that it has closed meanwhile is an error. */
  #await(what: string, ...states: readonly number[]): void {
    let state = 0;
    const reached = (): boolean => {
      state = this.#backendState();
      // Before it offers the device, Closed is what a former connection has left.
      return states.includes(state) || (state === CLOSED && !states.includes(INIT_WAIT));
    };
    const describe = (): string => `the back-end ${what} (it is in state ${state})`;
    this.domain.waitUntil(reached, hostClock.nowNs() + HANDSHAKE_TIMEOUT_NS, describe);
    if (states.includes(state)) return;
    const reason = this.domain.xenstore.tryRead(`${this.backendPath}/${BackendKey.ERROR}`) ?? 'it does not say why';
    throw new VerbsError({ code: 'EIO', message: `the back-end has closed the device: ${reason}` });
  }
}
