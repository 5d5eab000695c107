/**
 * The RDMA verbs: devices, memory regions, queue pairs, completion queues, and everything they are made of. Most programs import
 * this through `openverbs`.
 *
 * Whatever fails throws a {@link VerbsError}. Errors that any verb may end with are not told at each of them: EINVAL for an object that has
 * ended, for one of another context, and for an argument that is of another type or beyond its limit; EOPNOTSUPP for what the device, or its
 * provider, leaves out; ENOMEM where something is made and the device has no place left; EIO once the device has failed. A verb that fails
 * has changed nothing, but for the work requests of a post before the one that is wrong. "Source" names the man page, or the header, that
 * a verb follows.
 *
 * @packageDocumentation
 */
export { GRH_BYTES } from './ah-from-wc.ts';
export { AddressHandle } from './address-handle.ts';
export { AsyncEvent, type AsyncEventSubject } from './async-event.ts';
export { AsyncEventTarget } from './async-event-target.ts';
export type * from './attributes/address.ts';
export type {
  CqInitAttr,
  CqInitAttrEx,
  CqModerate,
  CqModerationCaps,
  DeviceAttr,
  DeviceAttrEx,
  OdpCaps,
  PortAttr,
  RtValues,
} from './attributes/device.ts';
export type {
  QpAttr,
  QpAttrInit,
  QpCap,
  QpCapInit,
  QpEndpoint,
  QpInitAttr,
  QpOpenAttr,
  QpQuery,
  QpQueryInit,
  SrqAttr,
  SrqInitAttr,
} from './attributes/qp.ts';
export { CompletionChannel } from './completion-channel.ts';
export type { CompletionsOptions } from './completion-batches.ts';
export { CompletionQueue } from './completion-queue.ts';
export { CompletionQueueEx } from './completion-queue-ex.ts';
export { connectPair, type ConnectOverrides } from './connect-pair.ts';
export { Context } from './context.ts';
export { ContextEx } from './context-ex.ts';
export { Device, guidStr } from './device.ts';
export { DmaBuffer } from './dma-buffer.ts';
export { Capability, type CapabilityManifest, type CapabilityName } from './driver/capabilities.ts';
export type { EventElement } from './driver/events.ts';
export * from './enums/index.ts';
export { Errno, errnoName, type ErrnoName, VerbsError, type VerbsErrorInit } from './errors.ts';
export { Gid, type GidEntry } from './gid.ts';
export {
  LEFT_OUT,
  leftOutError,
  type LeftOutFeature,
  leftOutFeature,
  type LeftOutVerb,
  refuseLeftOut,
} from './left-out.ts';
export { VerbsObject } from './lifetime.ts';
export { MemoryRegion } from './memory-region.ts';
export { incRkey, MemoryWindow, type MwBind, type MwBindInfo, type MwBindInit } from './memory-window.ts';
export { ParentDomain, type ParentDomainInitAttr, ThreadDomain } from './parent-domain.ts';
export type { PhysMrInit, ReregPhysMrInit } from './physical-memory.ts';
export type { DmaMapping } from './driver/device-ops.ts';
export { ProtectionDomain } from './protection-domain.ts';
export { maskOfQpAttr, namesOfQpAttrMask } from './qp-attr-rules.ts';
export type { QpInitOptions } from './qp-endpoint.ts';
export {
  qpModifyFault,
  type QpModifyFault,
  qpStatesAfter,
  QpTableType,
  type QpTransition,
  qpTransition,
} from './qp-state-table.ts';
export { QueuePair } from './queue-pair.ts';
export { QueuePairEx } from './queue-pair-ex.ts';
export { RecvWr, type RecvWrInit } from './recv-wr.ts';
export type { ReregMrInit } from './register-memory.ts';
export { VendorErr } from './rings/vendor-err.ts';
export { SendList } from './send-list.ts';
export { SendWr, type SendWrInit } from './send-wr.ts';
export { Sge, type SgeLike } from './sge.ts';
export { SharedReceiveQueue } from './shared-receive-queue.ts';
export {
  type EventMessage,
  type HcaMessage,
  type PacketMessage,
  type PolledCompletion,
  type PollMessage,
  type PostedWr,
  type PostMessage,
  TraceChannel,
  type XenMessage,
  type VerbMessage,
} from './tracing/channels.ts';
export { TRACED_VERBS } from './tracing/traced-verbs.ts';
export type { WaitOptions } from './wait-options.ts';
export { WorkCompletion } from './work-completion.ts';
export { XrcDomain, type XrcdInitAttr } from './xrc-domain.ts';
