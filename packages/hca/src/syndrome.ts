/** What a responder answers: the AETH syndrome, and two answers that are not of the wire. */
import { AethSyndrome } from '@openverbs/rocev2';

export const Aeth = {
  ...AethSyndrome,
  /** No answer came. */
  NONE: 0x100,
  /** The message was executed before; it is acknowledged again and nothing happens. */
  DUPLICATE: 0x101,
} as const;
