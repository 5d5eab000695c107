/**
 * States of the two ends of a split driver, as they stand in the `state` nodes of xenstore.
 *
 * @packageDocumentation
 */

/** States of a device's end; values and names of Xen's `io/xenbus.h`. */
export const XenbusState = {
  UNKNOWN: 0,
  INITIALISING: 1,
  /** The back-end is ready for the details of the front-end. */
  INIT_WAIT: 2,
  /** The front-end has published its rings and waits for the back-end. */
  INITIALISED: 3,
  CONNECTED: 4,
  /** The device is being taken away. */
  CLOSING: 5,
  CLOSED: 6,
  RECONFIGURING: 7,
  RECONFIGURED: 8,
} as const;

/** One of the states. */
export type XenbusState = (typeof XenbusState)[keyof typeof XenbusState];

/** The state that a node's value says; a value that is none is {@link XenbusState.UNKNOWN}, as Linux takes it. */
export function parseXenbusState(value: string | undefined): XenbusState {
  if (value === undefined || !/^[0-8]$/.test(value)) return XenbusState.UNKNOWN;
  return Number(value) as XenbusState;
}
