/** What goes over the event channel's page: one event in an entry of four words. */

/** Words of an entry. */
export const EVENT_WORDS = 4;

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
} as const;

/** What an event is of. */
export const EventElementCode = { device: 0, port: 1, cq: 2, qp: 3, srq: 4 } as const;
