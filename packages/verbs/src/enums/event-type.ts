/** Asynchronous events. */
import type { EventElement } from '../driver/events.ts';

/**
 * `enum ibv_event_type`: what an asynchronous event says. Source: `ibv_get_async_event`(3), IBTA vol. 1, 11.6.3.
 *
 * @enum
 */
export const EventType = {
  /** CQ: it overran or broke; it is of no more use. */
  CQ_ERR: 0,
  /** QP: a queue broke and the QP went to ERR. */
  QP_FATAL: 1,
  /** QP: the peer sent a request that is not valid here, and the QP went to ERR. */
  QP_REQ_ERR: 2,
  /** QP: the peer asked for memory that it has no right to, and the QP went to ERR. */
  QP_ACCESS_ERR: 3,
  /** QP in RTR: the first packet of the peer has come. */
  COMM_EST: 4,
  /** QP in SQD: the send queue has drained. */
  SQ_DRAINED: 5,
  /** QP: migrated to the alternate path. */
  PATH_MIG: 6,
  /** QP: could not migrate to the alternate path, or not follow the other end there. */
  PATH_MIG_ERR: 7,
  /** Device: it broke; close it. */
  DEVICE_FATAL: 8,
  /** Port: the link came up. */
  PORT_ACTIVE: 9,
  /** Port: the link went down. */
  PORT_ERR: 10,
  /** Port: its LID changed. */
  LID_CHANGE: 11,
  /** Port: its P_Key table changed. */
  PKEY_CHANGE: 12,
  /** Port: another subnet manager. */
  SM_CHANGE: 13,
  /** SRQ: it broke. */
  SRQ_ERR: 14,
  /** SRQ: fewer receives are left than its limit. */
  SRQ_LIMIT_REACHED: 15,
  /** QP with an SRQ, in ERR: it takes no more receives from the SRQ. */
  QP_LAST_WQE_REACHED: 16,
  /** Port: the subnet manager asks for registering again. */
  CLIENT_REREGISTER: 17,
  /** Port: its GID table changed. */
  GID_CHANGE: 18,
  /** Work queue: it broke. */
  WQ_FATAL: 19,
  /** Device: the speed of a port changed. */
  DEVICE_SPEED_CHANGE: 20,
} as const;

/** One of {@link EventType}. */
export type EventType = (typeof EventType)[keyof typeof EventType];

/** Text and element of each event, by its number. */
const EVENT: readonly (readonly [string, EventElement])[] = [
  ['CQ error', 'cq'],
  ['local work queue catastrophic error', 'qp'],
  ['invalid request local work queue error', 'qp'],
  ['local access violation work queue error', 'qp'],
  ['communication established', 'qp'],
  ['send queue drained', 'qp'],
  ['path migrated', 'qp'],
  ['path migration request error', 'qp'],
  ['local catastrophic error', 'device'],
  ['port active', 'port'],
  ['port error', 'port'],
  ['LID change', 'port'],
  ['P_Key change', 'port'],
  ['SM change', 'port'],
  ['SRQ catastrophic error', 'srq'],
  ['SRQ limit reached', 'srq'],
  ['last WQE reached', 'qp'],
  ['client reregistration', 'port'],
  ['GID table change', 'port'],
  ['WQ fatal', 'device'],
  ['device speed change', 'device'],
];

/** Describes an event. Source: `ibv_event_type_str`(3). */
export function eventTypeStr(type: number): string {
  return EVENT[type]?.[0] ?? 'unknown';
}

/** What an event is about: which table its `RawEvent.id` is looked up in. -1, a completion event, is about a CQ. */
export function eventElement(type: number): EventElement {
  return type < 0 ? 'cq' : (EVENT[type]?.[1] ?? 'device');
}
