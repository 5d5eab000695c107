/**
 * The back-end's half of the handshake for one front-end: what it does in which state of the two, as one table.
 */
import type { Domain } from '@openverbs/hypervisor';
import { HypervisorError, parseXenbusState, XenbusState } from '@openverbs/hypervisor';
import { VerbsError } from '@openverbs/verbs';
import { FrontendKey, ToolstackKey } from '../protocol/handshake.ts';
import { BULK_PAGES, PROTOCOL_VERSION } from '../protocol/limits.ts';

const { UNKNOWN, INITIALISING, INIT_WAIT, INITIALISED, CONNECTED, CLOSING, CLOSED } = XenbusState;

/** What a front-end has published, checked. */
export interface FrontendKeys {
  readonly ringRef: number;
  readonly port: number;
  readonly eventRingRef: number;
  readonly eventPort: number;
  readonly bulkRefs: readonly number[];
}

/** What a step of the handshake does. */
export type Step = 'offer' | 'connect' | 'disconnect';

/** `${state of the back-end} ${state of the front-end}`: what is to be done. What is not listed waits. */
const STEPS: ReadonlyMap<string, Step> = new Map<string, Step>([
  [key(INITIALISING, INITIALISING), 'offer'],
  [key(INITIALISING, UNKNOWN), 'offer'],
  [key(INITIALISING, CLOSED), 'offer'],
  [key(CLOSED, INITIALISING), 'offer'],
  [key(INIT_WAIT, INITIALISED), 'connect'],
  [key(INIT_WAIT, CLOSING), 'disconnect'],
  [key(CONNECTED, CLOSING), 'disconnect'],
  [key(CONNECTED, CLOSED), 'disconnect'],
  [key(CONNECTED, INITIALISING), 'disconnect'],
  [key(CONNECTED, UNKNOWN), 'disconnect'],
  [key(CLOSING, CLOSED), 'disconnect'],
  [key(CLOSING, CLOSING), 'disconnect'],
]);

/** What is to be done in a pair of states; undefined for nothing. */
export function stepOf(backend: number, frontend: number): Step | undefined {
  return STEPS.get(key(backend, frontend));
}

function key(backend: number, frontend: number): string {
  return `${backend} ${frontend}`;
}

/** The nodes of one front-end, as dom0 sees them. Nothing that a guest writes is believed. */
export class XenbusBackend {
  readonly path: string;
  readonly frontendPath: string;
  readonly frontendDomid: number;
  readonly #dom0: Domain;

  private constructor(dom0: Domain, path: string, frontendPath: string, frontendDomid: number) {
    this.#dom0 = dom0;
    this.path = path;
    this.frontendPath = frontendPath;
    this.frontendDomid = frontendDomid;
  }

  /** Undefined when the toolstack has not written all, or has removed it. */
  static find(dom0: Domain, path: string): XenbusBackend | undefined {
    const { FRONTEND, FRONTEND_ID, STATE } = ToolstackKey;
    const [frontend, domid, state] = [FRONTEND, FRONTEND_ID, STATE].map((key) =>
      dom0.xenstore.tryRead(`${path}/${key}`),
    );
    if (frontend === undefined || domid === undefined || state === undefined) return undefined;
    return new XenbusBackend(dom0, path, frontend, Number(domid));
  }

  /** The directory of the front-end's domain. No guest can remove it: it goes with the domain. */
  get domainPath(): string {
    return `/local/domain/${this.frontendDomid}`;
  }

  get state(): number {
    return parseXenbusState(this.#dom0.xenstore.tryRead(`${this.path}/${ToolstackKey.STATE}`));
  }

  get frontendState(): number {
    return parseXenbusState(this.#dom0.xenstore.tryRead(`${this.frontendPath}/${ToolstackKey.STATE}`));
  }

  /** Whether the toolstack's directory is still there. */
  get exists(): boolean {
    return this.#dom0.xenstore.tryRead(`${this.path}/${ToolstackKey.FRONTEND}`) !== undefined;
  }

  read(name: string): string | undefined {
    return this.#dom0.xenstore.tryRead(`${this.path}/${name}`);
  }

  /** Writes nodes of the back-end's directory, and its state last. */
  publish(entries: Readonly<Record<string, string>>, state: number): void {
    const { xenstore } = this.#dom0;
    xenstore.transaction((transaction) => {
      for (const [name, value] of Object.entries(entries)) xenstore.write(`${this.path}/${name}`, value, transaction);
      xenstore.write(`${this.path}/${ToolstackKey.STATE}`, String(state), transaction);
    });
  }

  /** @throws VerbsError EINVAL that says which key is wrong */
  frontendKeys(): FrontendKeys {
    const version = this.#number(FrontendKey.VERSION);
    if (version !== PROTOCOL_VERSION) {
      const message = `the front-end speaks version ${version} of the protocol, the back-end version ${PROTOCOL_VERSION}`;
      throw new VerbsError({ code: 'EINVAL', message });
    }
    return {
      ringRef: this.#number(FrontendKey.RING_REF),
      port: this.#number(FrontendKey.EVENT_CHANNEL),
      eventRingRef: this.#number(FrontendKey.EVENT_RING_REF),
      eventPort: this.#number(FrontendKey.EVENT_RING_CHANNEL),
      bulkRefs: Array.from({ length: BULK_PAGES }, (_, n) => this.#number(`${FrontendKey.BULK_REF}${n}`)),
    };
  }

  #number(name: string): number {
    const value = this.#dom0.xenstore.tryRead(`${this.frontendPath}/${name}`);
    if (value !== undefined && /^\d{1,10}$/.test(value)) return Number(value);
    throw new VerbsError({ code: 'EINVAL', message: `${name} of the front-end is ${value ?? 'missing'}` });
  }
}

/** Whether a hypervisor's refusal is the guest's doing: its keys are wrong, or it is gone. */
export function isGuestsFault(error: unknown): error is Error {
  return VerbsError.is(error) || error instanceof HypervisorError;
}
