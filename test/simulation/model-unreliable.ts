/**
 * The model of unreliable connections (IBTA volume 1, 9.8): messages arrive whole or not at all, each at most once unless the network
 * doubles packets, and in order unless it reorders them. What a receive holds behind its message, and what a write leaves that did
 * not come to its end, are beginnings of other messages.
 */
import { WcFlags, WcOpcode, WcStatus } from 'openverbs';
import { checkSends, describe, deviation } from './model-completions.ts';
import { cut } from './model-memory.ts';
import type { MemoryModel } from './model-memory.ts';
import type { Weather } from './program.ts';
import { operates } from './operations.ts';
import { hear, lengthOf } from './program.ts';
import type { Completion, Lane, ReceiveRecord, SendRecord } from './record.ts';

const { SUCCESS, WR_FLUSH_ERR } = WcStatus;

/** Checks a direction of a round that is over, and takes its memory in. */
export function settleUnreliable(
  lane: Lane,
  memory: MemoryModel,
  found: readonly Uint8Array[],
  weather: Weather,
): void {
  checkSends(lane, true);
  const received = new Map<ReceiveRecord, SendRecord>();
  const left = new Set(lane.requester.sends.filter(({ operation }) => operation.receive !== null));
  let last = -1;
  let flushed = false;
  for (const receive of lane.responder.receives) {
    const { completion } = receive;
    if (completion === null) continue;
    if (completion.status !== SUCCESS) {
      if (completion.status !== WR_FLUSH_ERR || !lane.responder.failed) {
        throw deviation(lane, 'recv-status', `status ${completion.status} of receive ${receive.step}`);
      }
      flushed = true;
      continue;
    }
    if (flushed) throw deviation(lane, 'recv-order', `receive ${receive.step} succeeded behind a flushed one`);
    const send = [...left].find((candidate) => {
      const isInOrder = weather.reorder > 0 || weather.duplicate > 0 || candidate.step > last;
      return isInOrder && isMessage(candidate, receive, completion, memory, found);
    });
    if (send === undefined || !hear(lane.record.plan))
      throw deviation(lane, 'recv-extra', `receive ${receive.step} holds no message that may come`);
    last = send.step;
    received.set(receive, send);
    if (weather.duplicate === 0) left.delete(send);
  }
  const mtu = 128 << lane.record.plan.mtu;
  for (const send of lane.requester.sends)
    settleWrite(lane, send, [...received.values()].includes(send), memory, found, mtu);
  if (!hear(lane.record.plan)) return;
  for (const receive of lane.responder.receives) settleReceive(lane, receive, memory, found);
}

/** Whether a completed receive is that of a message. */
function isMessage(
  { operation, placed }: SendRecord,
  receive: ReceiveRecord,
  completion: Completion,
  memory: MemoryModel,
  found: readonly Uint8Array[],
): boolean {
  const { opcode, imm, pieces } = operation;
  const { hasImm, moves } = operates(opcode);
  const isWrite = moves === 'toAddress';
  if (completion.opcode !== (isWrite ? WcOpcode.RECV_RDMA_WITH_IMM : WcOpcode.RECV)) return false;
  if (completion.byteLen !== lengthOf(pieces)) return false;
  if (completion.wcFlags !== (hasImm ? WcFlags.WITH_IMM : 0) || (hasImm && completion.immData !== imm)) return false;
  const bytes = memory.gather(placed.local);
  return isWrite || Buffer.compare(memory.gather(receive.places, found).subarray(0, bytes.length), bytes) === 0;
}

/** A write is there packet by packet, or not; all of it when its immediate data came. */
function settleWrite(
  lane: Lane,
  send: SendRecord,
  isWhole: boolean,
  memory: MemoryModel,
  found: readonly Uint8Array[],
  mtu: number,
): void {
  if (operates(send.operation.opcode).moves !== 'toAddress') return;
  for (const change of cut([send.placed.remote!], memory.gather(send.placed.local), mtu)) {
    const { region, offset, bytes } = change;
    const there = found[region].subarray(offset, offset + bytes.length);
    if (hear(lane.record.plan) && Buffer.compare(there, bytes) === 0) memory.apply(change);
    else if (isWhole) throw deviation(lane, 'unwritten', `${describe(send)} was told, and is not there`);
  }
}

/** Each byte is as it was, or of some message that may have begun to arrive there. */
function settleReceive(lane: Lane, receive: ReceiveRecord, memory: MemoryModel, found: readonly Uint8Array[]): void {
  const sends = lane.requester.sends.filter(({ operation }) => operates(operation.opcode).moves === 'toReceive');
  const places = receive.places;
  const before = memory.gather(places);
  const after = memory.gather(places, found);
  const messages = sends.map(({ placed }) => memory.gather(placed.local));
  const wrong = after.findIndex((byte, n) => byte !== before[n] && !messages.some((message) => message[n] === byte));
  if (wrong >= 0) throw deviation(lane, 'recv-bytes', `byte ${wrong} of receive ${receive.step} is of no message`);
  let from = 0;
  for (const { region, offset, length } of places) {
    memory.apply({ region, offset, bytes: after.subarray(from, from + length) });
    from += length;
  }
}
