/**
 * How frames and messages travel between devices.
 *
 * @packageDocumentation
 */
export { DELAY_US_MAX, FaultInjector, NO_FAULTS, PARTITION_DEVICES_MAX, REORDER_NS_MAX } from './fault-injector.ts';
export type { FaultCounters, Faults } from './fault-injector.ts';
export { FRAME_BYTES_MAX, FrameQueue, FRAMES_MAX } from './frame-queue.ts';
export { deviceOf, LINK_GIDS_MAX, MemoryLink, portId, portOf } from './memory-link.ts';
