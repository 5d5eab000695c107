/** What the receiving side counts of messages that it drops. */
import { HcaHeader, Port, Qpc } from './layout.ts';
import { Aeth } from './syndrome.ts';

/** The counters of a port stop there (IBTA 16.1.3.5: 16 bits). */
const PORT_COUNTER_MAX = 0xffff;

/** Counts a message that the unreliable QP at `p` did not take; `answer` says why. */
export function countDrop(i32: Int32Array, p: number, answer: number): void {
  const lacksReceive = answer === Aeth.RNR_NAK;
  const at = portWord(i32, p, lacksReceive ? Port.OUT_OF_BUFFER : Port.MESSAGES_DROPPED);
  i32[at] = (i32[at] + 1) | 0;
}

/** Counts a datagram whose Q_Key is not that of the QP at `p`. */
export function countQkeyViolation(i32: Int32Array, p: number): void {
  count(i32, p, Port.QKEY_VIOL_CNTR);
}

/** Counts a message whose P_Key does not match that of the QP at `p`. */
export function countBadPkey(i32: Int32Array, p: number): void {
  count(i32, p, Port.BAD_PKEY_CNTR);
}

function count(i32: Int32Array, p: number, word: number): void {
  const at = portWord(i32, p, word);
  if (i32[at] < PORT_COUNTER_MAX) i32[at]++;
}

function portWord(i32: Int32Array, p: number, word: number): number {
  return i32[i32[p + Qpc.HCA] + HcaHeader.PORT_TABLE] + (i32[p + Qpc.PORT] - 1) * Port.WORDS + word;
}
