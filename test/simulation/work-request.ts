/** The work request of an operation. */
import { AccessFlags, PlacementType, SendFlags, SendWr, Sge, WrOpcode } from 'openverbs';
import type { SendWrInit } from 'openverbs';
import type { End } from './connection.ts';
import { operates } from './operations.ts';
import type { Place, Placed } from './placement.ts';
import type { Mistake, Operation } from './program.ts';
import { lengthOf } from './program.ts';
import type { Region, World } from './world.ts';

/** What a work request is made of. */
export interface Request {
  readonly wrId: number;
  readonly operation: Operation;
  readonly placed: Placed;
  readonly signaled: boolean;
  /** Compare and swap: what it compares with. */
  readonly compare: bigint;
}

/** A work request from one end to the other. */
export function workRequest(world: World, end: End, peer: End, request: Request): SendWr {
  const { wrId, operation, placed, signaled } = request;
  const { opcode, mistake, imm, solicited, inline } = operation;
  const { moves } = operates(opcode);
  const lkey = mistake === 'lkey' ? end.device.staleKey : end.region.mr.lkey;
  // Inline data from memory that is not registered, or that SGEs name.
  const bytes = inline && (solicited || operation.extended === true || operation.chained === true);
  const local: SendWrInit = bytes
    ? { inlineData: Buffer.concat(placed.local.map((place) => bytesOf(end.region, place))) }
    : { sgList: sgesOf(end.region, placed.local, lkey) };
  return new SendWr({
    wrId,
    opcode,
    immData: imm,
    sendFlags: flagsOf(operation, signaled),
    ...local,
    ...(moves === 'old' ? atomicOf(world, peer, request) : remoteOf(peer, request)),
    ...(opcode === WrOpcode.FLUSH && flushOf(operation)),
    ...(operation.srq !== undefined && { remoteSrqn: srqnOf(world, operation.srq, mistake) }),
    ...(opcode === WrOpcode.SEND_WITH_INV && { invalidateRkey: peer.window!.rkey }),
    ...(opcode === WrOpcode.LOCAL_INV && { invalidateRkey: end.window!.rkey }),
    ...(opcode === WrOpcode.BIND_MW && bindOf(end)),
  });
}

/** The number of an XRC SRQ; by mistake that of one which is none, or of nothing. */
function srqnOf({ shared }: World, index: number, mistake: Mistake | null): number {
  if (mistake !== 'srqn') return shared[index].srq.srqNum;
  const { device } = shared[index];
  return shared.find((other) => other.device === device && other.srq.xrcd === null)?.srq.srqNum ?? 0;
}

/** Shows all of the region, for writing and reading. */
function bindOf({ window, region: { mr } }: End): SendWrInit {
  const { mw, rkey } = window!;
  const access = AccessFlags.REMOTE_WRITE | AccessFlags.REMOTE_READ;
  return { bindMw: { mw, rkey, mr, addr: mr.addr, length: mr.length, access } };
}

function remoteOf({ device, region, window }: End, { placed: { remote }, operation }: Request): SendWrInit {
  if (remote === null) return {};
  const { mistake, opcode } = operation;
  const { mr, locked } = region;
  let { rkey } = mr;
  let remoteAddr = mr.addr + remote.offset;
  if (operation.window === true && window?.isBound === true) ({ rkey } = window);
  if (mistake === 'window') rkey = window!.rkey;
  if (mistake === 'rkey') rkey = region.staleKey ?? device.staleKey;
  if (mistake === 'access') ({ rkey } = locked);
  if (mistake === 'unaligned') remoteAddr += 4;
  if (mistake === 'range') {
    const end = mr.addr + mr.length;
    remoteAddr = operates(opcode).isWord ? Math.ceil(end / 8) * 8 : end - remote.length + 1;
  }
  return { rkey, remoteAddr };
}

function atomicOf(world: World, { device, plan, region }: End, { operation, compare }: Request): SendWrInit {
  const { mistake, opcode } = operation;
  const operand = BigInt(`0x${operation.operand}`);
  const operands =
    opcode === WrOpcode.ATOMIC_CMP_AND_SWP ? { compareAdd: compare, swap: operand } : { compareAdd: operand };
  let { rkey } = device.counters;
  let remoteAddr = world.counterAddr(plan.device, operation.counter);
  if (mistake === 'rkey') rkey = device.staleKey;
  if (mistake === 'access') [rkey, remoteAddr] = [region.locked.rkey, Math.ceil(region.locked.addr / 8) * 8];
  if (mistake === 'range') remoteAddr = device.counters.addr + device.counters.length;
  if (mistake === 'unaligned') remoteAddr += 4;
  return { ...operands, rkey, remoteAddr };
}

/** Of the range, or of all of the region. */
function flushOf({ pieces, imm, mistake }: Operation): SendWrInit {
  const flushLevel = mistake === null ? imm & 1 : 0;
  return { flushLength: lengthOf(pieces), flushType: PlacementType.GLOBAL, flushLevel };
}

function flagsOf(operation: Operation, signaled: boolean): number {
  // A read through the window that is answered late is asked for again, and the key has to be good then.
  const fence = operation.fence || operation.opcode === WrOpcode.SEND_WITH_INV;
  return (
    (signaled ? SendFlags.SIGNALED : 0) |
    (operation.inline ? SendFlags.INLINE : 0) |
    (operation.solicited ? SendFlags.SOLICITED : 0) |
    (fence ? SendFlags.FENCE : 0)
  );
}

/** SGEs for places of a region. */
export function sgesOf({ mr }: Region, places: readonly Place[], lkey: number): Sge[] {
  return places.map(({ offset, length }) => new Sge(mr.addr + offset, length, lkey));
}

function bytesOf({ buffer }: Region, { offset, length }: Place): Uint8Array {
  return buffer.bytes.slice(offset, offset + length);
}
