/**
 * The capability manifest: what a provider says it supports. The conformance suite holds it against `queryDevice` and against
 * behaviour, in both directions.
 */

/** Version of {@link CapabilityManifest}; a provider states the one it was written for. */
export const CAPABILITY_MANIFEST_VERSION = 1;

/** Every capability, with what it promises. */
export const Capability = {
  rc: 'reliable connected QPs',
  uc: 'unreliable connected QPs',
  ud: 'unreliable datagram QPs and address handles',
  xrc: 'extended reliable connected QPs, domains and SRQs',
  srq: 'shared receive queues',
  multicast: 'attaching a UD QP to a multicast group',
  rdmaWrite: 'RDMA WRITE, with and without immediate data',
  rdmaRead: 'RDMA READ',
  atomics: 'compare-and-swap and fetch-and-add on 8 bytes',
  inlineData: 'IBV_SEND_INLINE',
  completionEvents: 'completion channels and solicited events',
  asyncEvents: 'asynchronous events',
  sqDrain: 'the SQD state and its event',
  resizeCq: 'ibv_resize_cq',
  memoryWindows: 'memory windows',
  localInvalidate: 'IBV_WR_LOCAL_INV and SEND with invalidate',
  directAccess: 'rings in the OpenVerbs layout',
  registersAnyMemory: 'registering memory that was not allocated by ibv_alloc_buf',
  dmaBuffers: 'context.allocBuf',
  sharesMachine: 'a second thread of the process can join and reach the same devices',
} as const;

/** Name of a capability. */
export type CapabilityName = keyof typeof Capability;

/** What a device supports. A name that is left out is not supported. */
export interface CapabilityManifest {
  readonly version: typeof CAPABILITY_MANIFEST_VERSION;
  readonly supports: Readonly<Partial<Record<CapabilityName, boolean>>>;
}
