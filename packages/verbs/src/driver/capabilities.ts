/**
 * The capability manifest: what a provider says it supports. The conformance suite holds it against `queryDevice` and against
 * behaviour, in both directions.
 */

/** Version of {@link CapabilityManifest}; a provider states the one it was written for. */
export const CAPABILITY_MANIFEST_VERSION = 1;

/**
 * Every capability, with what it promises. A new one comes with a suite that needs it and with its refusal, both in
 * `conformance`, and with a row of `test/conformance/falsified/behaviours.ts`, which proves that neither is idle.
 */
export const Capability = {
  /** Reliable connected QPs. */
  rc: 'reliable connected QPs',
  /** Unreliable connected QPs. */
  uc: 'unreliable connected QPs',
  /** Unreliable datagram QPs and address handles. */
  ud: 'unreliable datagram QPs and address handles',
  /** Extended reliable connected QPs, domains and SRQs. */
  xrc: 'extended reliable connected QPs, domains and SRQs',
  /** Shared receive queues. */
  srq: 'shared receive queues',
  /** Changing the number of work requests of an SRQ. */
  srqResize: 'changing the number of work requests of an SRQ',
  /** Attaching a UD QP to a multicast group. */
  multicast: 'attaching a UD QP to a multicast group',
  /** RDMA WRITE, with and without immediate data. */
  rdmaWrite: 'RDMA WRITE, with and without immediate data',
  /** RDMA READ. */
  rdmaRead: 'RDMA READ',
  /** Compare-and-swap and fetch-and-add on 8 bytes. */
  atomics: 'compare-and-swap and fetch-and-add on 8 bytes',
  /** ATOMIC_WRITE of 8 bytes. */
  atomicWrite: 'ATOMIC_WRITE of 8 bytes',
  /** FLUSH for global visibility. */
  flush: 'FLUSH for global visibility',
  /** FLUSH for persistence. */
  flushPersistent: 'FLUSH for persistence',
  /** IBV_SEND_INLINE. */
  inlineData: 'IBV_SEND_INLINE',
  /** Completion channels and solicited events. */
  completionEvents: 'completion channels and solicited events',
  /** Asynchronous events. */
  asyncEvents: 'asynchronous events',
  /** The SQD state and its event. */
  sqDrain: 'the SQD state and its event',
  /** Ibv_resize_cq. */
  resizeCq: 'ibv_resize_cq',
  /** Ibv_modify_cq: one event for several completions. */
  cqModeration: 'ibv_modify_cq: one event for several completions',
  /** Thread domains and parent domains. */
  parentDomains: 'thread domains and parent domains',
  /** Hardware counters of a port. */
  hwCounters: 'hardware counters of a port',
  /** Ports that go down, queue pairs and devices that fail, at will, for tests. */
  deviceFaults: 'ports that go down, queue pairs and devices that fail, at will, for tests',
  /** Alternate paths of connections, and going over to them. */
  pathMigration: 'alternate paths of connections, and going over to them',
  /** Extended completion queues. */
  extendedCq: 'extended completion queues',
  /** The time of each completion, by the device's clock. */
  completionTimestamps: "the time of each completion, by the device's clock",
  /** Memory windows. */
  memoryWindows: 'memory windows',
  /** IBV_WR_LOCAL_INV and SEND with invalidate. */
  localInvalidate: 'IBV_WR_LOCAL_INV and SEND with invalidate',
  /** Ibv_rereg_mr. */
  reregMr: 'ibv_rereg_mr',
  /** Ibv_reg_mr_iova. */
  regMrIova: 'ibv_reg_mr_iova',
  /** IBV_ACCESS_ZERO_BASED. */
  zeroBased: 'IBV_ACCESS_ZERO_BASED',
  /** Ibv_alloc_null_mr. */
  nullMr: 'ibv_alloc_null_mr',
  /** Registering memory by bus addresses: ib_reg_phys_mr and ib_get_dma_mr. */
  physicalMr: 'registering memory by bus addresses: ib_reg_phys_mr and ib_get_dma_mr',
  /** IBV_ACCESS_ON_DEMAND and IBV_ACCESS_HUGETLB. */
  onDemandPaging: 'IBV_ACCESS_ON_DEMAND and IBV_ACCESS_HUGETLB',
  /** Rings in the OpenVerbs layout. */
  directAccess: 'rings in the OpenVerbs layout',
  /** Failed completions whose `vendorErr` says why, by the numbers of `VendorErr`. */
  vendorErrors: 'failed completions whose vendorErr says why, by the numbers of VendorErr',
  /** Registering memory that was not allocated by ibv_alloc_buf. */
  registersAnyMemory: 'registering memory that was not allocated by ibv_alloc_buf',
  /** Context.allocBuf. */
  dmaBuffers: 'context.allocBuf',
  /** A second thread of the process can join and reach the same devices. */
  sharesMachine: 'a second thread of the process can join and reach the same devices',
} as const;

/** Name of a capability. */
export type CapabilityName = keyof typeof Capability;

/** What a device supports. A name that is left out is not supported. */
export interface CapabilityManifest {
  /** The version that the provider was written for. */
  readonly version: typeof CAPABILITY_MANIFEST_VERSION;
  /** What is supported; `false` says the same as leaving a name out. */
  readonly supports: Readonly<Partial<Record<CapabilityName, boolean>>>;
}
