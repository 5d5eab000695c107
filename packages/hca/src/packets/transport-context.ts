/** The transport context of a QP: made with the QP, reset with it, and gone with it. */
import type { Machine } from '@openverbs/machine';
import { udpSourcePort } from '@openverbs/rocev2';
import { allocWords } from '../hca.ts';
import { Qpc } from '../layout.ts';
import { RD_ATOMIC_MAX } from '../limits.ts';
import { Qpt, Resource, Slot } from './layout.ts';

/** Allocates the context of a QP whose send ring has `2 ** sqLog2Count` WQEs; its word index. Of the thread, so that reaping finds it. */
export function allocTransportContext(machine: Machine, sqLog2Count: number): number {
  const slots = Slot.WORDS << sqLog2Count;
  const t = allocWords(machine, Qpt.WORDS + slots + RD_ATOMIC_MAX * Resource.WORDS, machine.threadIndex);
  machine.i32[t + Qpt.SLOTS] = t + Qpt.WORDS;
  machine.i32[t + Qpt.RESOURCE_RING] = t + Qpt.WORDS + slots;
  return t;
}

/** Everything as at the beginning; the place in the transmit queue stays. */
export function resetTransportContext(i32: Int32Array, t: number): void {
  i32[t + Qpt.STARTED] = 0;
  i32.fill(0, t + Qpt.INBOUND, t + Qpt.STARVED + 1);
  const ring = i32[t + Qpt.RESOURCE_RING];
  i32.fill(0, ring, ring + RD_ATOMIC_MAX * Resource.WORDS);
}

/** Takes the addresses of the QP at `q` over, after its address vector was set. */
export function setTransportAddress(i32: Int32Array, q: number, sourceGid: Int32Array): void {
  const t = i32[q + Qpc.TRANSPORT];
  i32.set(sourceGid, t + Qpt.SOURCE_GID);
  i32[t + Qpt.SOURCE_PORT] = udpSourcePort(i32[q + Qpc.AV_FLOW_LABEL], i32[q + Qpc.QPN], i32[q + Qpc.DEST_QPN]);
}
