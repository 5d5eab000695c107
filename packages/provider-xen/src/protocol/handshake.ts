/**
 * The handshake of front-end and back-end over xenstore, with the XenbusState machine as blkif has it.
 *
 * The toolstack makes both directories; each side writes its own `state` and watches the other's.
 */

/** Class of the device: `/local/domain/<id>/device/vib/<n>`. */
const DEVICE_CLASS = 'vib';

/** What the toolstack writes into both directories. */
export const ToolstackKey = {
  BACKEND: 'backend',
  BACKEND_ID: 'backend-id',
  FRONTEND: 'frontend',
  FRONTEND_ID: 'frontend-id',
  /** `basic` or `bypass`, for the front-end. */
  MODE: 'mode',
  /** The lower device's name, for the back-end. */
  DEVICE: 'device',
  STATE: 'state',
} as const;

/** What the toolstack writes for the back-end, and may change while it runs: what a guest gets. */
export const ShareKey = {
  /** Share of the device among the guests that want it, 1 to 65535. */
  WEIGHT: 'weight',
  /** Bytes a second that it may send; 0 for as many as it likes. */
  RATE: 'rate-bytes-per-s',
  /** Bytes that it may send at once on top. */
  BURST: 'burst-bytes',
} as const;

/** What the back-end tells in InitWait, and when it closes. */
export const BackendKey = {
  VERSION: 'version',
  NODE_GUID: 'node-guid',
  NODE_TYPE: 'node-type',
  TRANSPORT_TYPE: 'transport-type',
  /** Names of the capabilities, with blanks between. */
  CAPABILITIES: 'capabilities',
  /** Where the back-end counts what the guest has, for tools of the device domain. */
  ACCOUNT: 'account',
  /** Why it has closed; empty where the front-end has closed first. */
  ERROR: 'error',
} as const;

/** What the front-end tells in Initialised: grant references and unbound ports. */
export const FrontendKey = {
  VERSION: 'version',
  RING_REF: 'ring-ref',
  EVENT_CHANNEL: 'event-channel',
  EVENT_RING_REF: 'event-ring-ref',
  EVENT_RING_CHANNEL: 'event-ring-channel',
  /** `bulk-ref0` to `bulk-ref15`. */
  BULK_REF: 'bulk-ref',
} as const;

export function frontendPath(domid: number, index: number): string {
  return `/local/domain/${domid}/device/${DEVICE_CLASS}/${index}`;
}

export function backendPath(backendDomid: number, domid: number, index: number): string {
  return `${backendRoot(backendDomid)}/${domid}/${index}`;
}

/** Where the toolstack lists the devices that a domain's back-end shares. */
export function backendRoot(backendDomid: number): string {
  return `/local/domain/${backendDomid}/backend/${DEVICE_CLASS}`;
}
