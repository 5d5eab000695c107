/**
 * The software HCA: the device behind the emulated provider and the Xen back-end.
 *
 * @packageDocumentation
 */
export { AsyncEvent } from './async-event.ts';
export { CommandInterface } from './command-interface.ts';
export type {
  CqInit,
  QpInit,
  OwnedRegionInit,
  RegionInit,
  RegionPlace,
  SrqChange,
  SrqInit,
  WindowInit,
  XrcdInit,
} from './command-init.ts';
export type { QpCommands } from './qp-commands.ts';
export type { QpOpenInit } from './qp-openings.ts';
export type { Completer, WindowChange } from './completer.ts';
export { Count, Counters, DROPS } from './counters.ts';
export type { CounterName, HwCounterName } from './counters.ts';
export type { CqCommands } from './cq-commands.ts';
export type { CqModeration } from './cq-moderation.ts';
export { DeviceError } from './device-error.ts';
export { Engine } from './engine.ts';
export type { Placement } from './engine.ts';
export { EngineState } from './engine-state.ts';
export { COMPLETION, takeEvent } from './event-queue.ts';
export type { EventQueues } from './event-queue.ts';
export { Hca } from './hca.ts';
export type { HcaInit, PortGid } from './hca-init.ts';
export * from './layout.ts';
export * as limits from './limits.ts';
export { modifyQp } from './modify-qp.ts';
export type { AddressVector, QpChange } from './modify-qp.ts';
export { SEND_OPCODES } from './opcode.ts';
export type { AlternatePath, PathMigration } from './path-migration.ts';
export type { QpStateMachine } from './qp-state.ts';
export { reap } from './reap.ts';
export { end, serve, stop } from './serve.ts';
export type { TimerQueue } from './timer-queue.ts';
export type { Uars } from './uar.ts';
export type { ReceiveQueue } from './receive-queue.ts';
export type { SrqCommands, SrqQuery } from './srq-commands.ts';
export { NoteKind } from './tap.ts';
export type { FrameRecord, NoteRecord, Tap, TapListener } from './tap.ts';
export type { XrcdCommands } from './xrcd-commands.ts';
