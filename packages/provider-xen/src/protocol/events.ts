/** What goes over the event channel's page: one event in an entry of six words. */

/** Words of an entry. */
export const EVENT_WORDS = 6;

/** Where the words of an entry are. */
export const EventWord = {
  /** One of {@link EventElementCode}. */
  ELEMENT: 0,
  /** `ibv_event_type`, or COMPLETION_EVENT. */
  TYPE: 1,
  /** The object's cookie; of a port, its number; of a device, 0. */
  ID: 2,
  /** The context. */
  CONTEXT: 3,
  /** Of a QP: its state when the event was taken of the lower device; else 0. */
  QP_STATE: 4,
  /** Of a QP: how often it had been modified then, within {@link QP_MODIFIES_MASK}; else 0. */
  QP_MODIFIES: 5,
} as const;

/** Modifies of a QP are counted free-running, within these bits. */
export const QP_MODIFIES_MASK = 0x7fffffff;

/** What an event is of. */
export const EventElementCode = { device: 0, port: 1, cq: 2, qp: 3, srq: 4 } as const;
