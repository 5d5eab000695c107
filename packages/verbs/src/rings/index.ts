/**
 * The OpenVerbs ring layout, and the data path over it. A device that offers direct access needs the layout only.
 *
 * @packageDocumentation
 */
export type { CqPath, RecvPath, SendPath } from '../data-path.ts';
export { NoOperation, StagedAddress, StagedData, type StagedSend } from '../staged-send.ts';
export * from './layout.ts';
export * from './ordering.ts';
export * from './qp-table.ts';
export * from './ring-completion-queue.ts';
export * from './ring-recv-queue.ts';
export * from './ring-shared-receive-queue.ts';
export { RingSendBuilder } from './ring-send-builder.ts';
export { RingSendQueue } from './ring-send-queue.ts';
export type * from './rings.ts';
export * from './vendor-err.ts';
export * from './work-queue-slots.ts';
