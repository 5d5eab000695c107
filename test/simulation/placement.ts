/**
 * Where in memory the operations of a program read and write: each has places of its own, with bytes between them that nobody
 * writes, but for those that are meant to go over the same place.
 */
import { Xoshiro128 } from '@openverbs/machine';
import { WrOpcode } from 'openverbs';
import type { Operation, Program, Side } from './program.ts';
import { lengthOf } from './program.ts';

/** A run of bytes of a region. */
export interface Place {
  readonly region: number;
  readonly offset: number;
  readonly length: number;
}

/** Where an operation's bytes are. */
export interface Placed {
  /** What its SGEs name. */
  readonly local: readonly Place[];
  /** What it names at the peer; null for sends and atomics. */
  readonly remote: Place | null;
  /** What its receive names. */
  readonly receive: readonly Place[];
}

/** Of a whole program. */
export interface Placement {
  /** By index of the step. */
  readonly of: ReadonlyMap<number, Placed>;
  /** Bytes of each region. */
  readonly bytes: readonly number[];
}

/** Bytes between two places, at most. */
const GAP_BYTES_MAX = 48;

/** The region of an end: each has one. */
export function regionOf(connection: number, side: number): number {
  return connection * 2 + side;
}

/** The other end. */
export function otherSide(side: Side): Side {
  return side === 0 ? 1 : 0;
}

/** Places all operations. */
export function place(program: Program): Placement {
  const prng = new Xoshiro128(program.seed);
  const bytes = program.connections.flatMap(() => [GAP_BYTES_MAX, GAP_BYTES_MAX]);
  const alloc = (region: number, length: number): Place => {
    const offset = bytes[region] + prng.nextInt(GAP_BYTES_MAX);
    bytes[region] = offset + length + 1;
    return { region, offset, length };
  };
  const of = new Map<number, Placed>();
  const lanes = new Map<string, Written[]>();
  program.steps.forEach((step, index) => {
    if (step.do !== 'post') return;
    const here = regionOf(step.connection, step.side);
    const there = regionOf(step.connection, otherSide(step.side));
    const lane = `${step.connection} ${step.side} ${step.round}`;
    const written = lanes.get(lane) ?? [];
    lanes.set(lane, written);
    const local = step.pieces.map((length) => alloc(here, length));
    const remote = takesRemote(step) ? remoteOf(step, written, (length) => alloc(there, length)) : null;
    of.set(index, { local, remote, receive: (step.receive?.pieces ?? []).map((length) => alloc(there, length)) });
  });
  return { of, bytes: bytes.map((end) => end + GAP_BYTES_MAX) };
}

/** The target of a write. Once it is read, nobody writes it any more: a read that is repeated would see what came later. */
interface Written {
  readonly place: Place;
  isRead: boolean;
}

function takesRemote({ opcode }: Operation): boolean {
  const { RDMA_WRITE, RDMA_WRITE_WITH_IMM, RDMA_READ } = WrOpcode;
  return opcode === RDMA_WRITE || opcode === RDMA_WRITE_WITH_IMM || opcode === RDMA_READ;
}

function remoteOf(operation: Operation, written: Written[], alloc: (length: number) => Place): Place {
  const length = lengthOf(operation.pieces);
  const before = operation.again === 0 ? undefined : written.at(-operation.again);
  const isRead = operation.opcode === WrOpcode.RDMA_READ;
  const fits = before !== undefined && before.place.length >= length && operation.mistake === null;
  if (isRead) {
    if (!fits) return alloc(length);
    for (const other of written) if (overlap(other.place, before.place)) other.isRead = true;
    return { ...before.place, length };
  }
  const goesOver = fits && !before.isRead;
  const target = goesOver
    ? { ...before.place, offset: before.place.offset + before.place.length - length, length }
    : alloc(length);
  written.push({ place: target, isRead: false });
  return target;
}

function overlap(a: Place, b: Place): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}
