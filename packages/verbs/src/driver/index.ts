/**
 * What a provider author implements.
 *
 * @packageDocumentation
 */
export * from './attributes.ts';
export * from './capabilities.ts';
export { badConfig, checkConfigInteger, checkRecord } from './check-config.ts';
export type * from './cqe-polling.ts';
export type * from './data-path.ts';
export * from './define-provider.ts';
export type * from './device-ops.ts';
export type * from './direct-access.ts';
export * from './events.ts';
export { type MadeQueue, QueueMemory, type QueueMemorySource } from './queue-memory.ts';
export {
  createCqOn,
  createQpOn,
  createSrqOn,
  createXrcRecvQpOn,
  type DirectCqInit,
  resizeCqOn,
  resizeSrqOn,
  userHalfOf,
  payloadBytesDone,
  workRequestsTaken,
} from '../direct-queues.ts';
export { article } from '../check.ts';
export { keepRoom, type KeptRoom } from '../kept-room.ts';
export { checkLiteral, type LiteralKeys, literalKeys, nearestKey } from '../literal-keys.ts';
export { QueueBuffer, regQueueBuffer } from '../queue-buffer.ts';
export { checkAccess } from '../register-memory.ts';
export { getDmaMrOf } from '../register-physical.ts';
export type { CqRings, Doorbell, QpRings, SrqRings } from '../rings/rings.ts';
