/**
 * Where in memory the operations of a program read and write: each has places of its own, with bytes between them that nobody
 * writes, but for those that are meant to go over the same place.
 */
import { Xoshiro128 } from '@openverbs/machine';
import { operates } from './operations.ts';
import type { Operation, Program, Side } from './program.ts';
import { lengthOf, sharedQueueOf } from './program.ts';

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
  /** Places of the receives of each UD queue pair. */
  readonly sockets: readonly (readonly (readonly Place[])[])[];
  /** Places of the receives of each shared queue, enough for all that take one. */
  readonly shared: readonly (readonly (readonly Place[])[])[];
}

/** Bytes between two places, at most. */
const GAP_BYTES_MAX = 48;

/** The region of an end: each has one. */
export function regionOf(connection: number, side: number): number {
  return connection * 2 + side;
}

/** The region of a UD queue pair, behind those of connections and shared queues. */
export function socketRegion({ connections, srqs = [] }: Program, socket: number): number {
  return connections.length * 2 + srqs.length + socket;
}

/** The other end. */
export function otherSide(side: Side): Side {
  return side === 0 ? 1 : 0;
}

/** Places all operations. */
export function place(program: Program): Placement {
  const prng = new Xoshiro128(program.seed);
  const { srqs = [], sockets = [] } = program;
  const regions = program.connections.length * 2 + srqs.length + sockets.length;
  const bytes = Array.from({ length: regions }, () => GAP_BYTES_MAX);
  const alloc = (region: number, length: number): Place => {
    const offset = bytes[region] + prng.nextInt(GAP_BYTES_MAX);
    bytes[region] = offset + length + 1;
    return { region, offset, length };
  };
  const of = new Map<number, Placed>();
  const lanes = new Map<string, Written[]>();
  program.steps.forEach((step, index) => {
    if (step.do === 'datagram') {
      const region = socketRegion(program, step.socket);
      of.set(index, { local: step.pieces.map((length) => alloc(region, length)), remote: null, receive: [] });
    }
    if (step.do !== 'post') return;
    const here = regionOf(step.connection, step.side);
    const there = regionOf(step.connection, otherSide(step.side));
    const lane = `${step.connection} ${step.side} ${step.round}`;
    const written = lanes.get(lane) ?? [];
    lanes.set(lane, written);
    const { moves, isRemote } = operates(step.opcode);
    const local = moves === 'none' ? [] : step.pieces.map((length) => alloc(here, length));
    const remote = isRemote && moves !== 'old' ? remoteOf(step, written, (length) => alloc(there, length)) : null;
    const isShared = sharedQueueOf(program.connections[step.connection], step) !== undefined;
    const pieces = isShared ? [] : (step.receive?.pieces ?? []);
    of.set(index, { local, remote, receive: pieces.map((length) => alloc(there, length)) });
  });
  const shared = srqs.map((_, srq) => placeShared(program, srq, alloc));
  const socketPlaces = sockets.map(({ receives, maxSge }, socket) =>
    receives.map((bytes) => {
      const pieces = prng.nextInt(2) === 0 || maxSge === 1 ? [bytes] : [bytes >>> 1, bytes - (bytes >>> 1)];
      return pieces.map((length) => alloc(socketRegion(program, socket), length));
    }),
  );
  return { of, shared, sockets: socketPlaces, bytes: bytes.map((end) => end + GAP_BYTES_MAX) };
}

/** Receives that hold every message which may take one; one more for each message, and for each that a queue pair in error gives back. */
function placeShared(
  { connections, steps, srqs = [] }: Program,
  srq: number,
  alloc: (region: number, length: number) => Place,
): Place[][] {
  const takers = steps.filter(
    (step): step is Operation =>
      step.do === 'post' && step.receive !== null && sharedQueueOf(connections[step.connection], step) === srq,
  );
  if (takers.length === 0) return [];
  const { maxSge, maxWr } = srqs[srq];
  const sizes = takers.map(({ opcode, pieces }) => (operates(opcode).moves === 'toReceive' ? lengthOf(pieces) : 0));
  const piece = Math.ceil(Math.max(1, ...sizes) / maxSge);
  const region = connections.length * 2 + srq;
  const count = takers.length * 2 + maxWr;
  return Array.from({ length: count }, () => Array.from({ length: maxSge }, () => alloc(region, piece)));
}

/** The target of a write. Once it is read, nobody writes it any more: a read that is repeated would see what came later. */
interface Written {
  readonly place: Place;
  isRead: boolean;
}

function remoteOf(operation: Operation, written: Written[], alloc: (length: number) => Place): Place {
  const length = lengthOf(operation.pieces);
  const before = operation.again === 0 ? undefined : written.at(-operation.again);
  const { moves, isWord } = operates(operation.opcode);
  const fits = before !== undefined && before.place.length >= length && operation.mistake === null && !isWord;
  if (moves !== 'toAddress') {
    if (!fits) return alloc(length);
    if (moves === 'none') return { ...before.place, length };
    for (const other of written) if (overlap(other.place, before.place)) other.isRead = true;
    return { ...before.place, length };
  }
  const goesOver = fits && !before.isRead;
  const target = goesOver
    ? { ...before.place, offset: before.place.offset + before.place.length - length, length }
    : isWord
      ? aligned(alloc(length + 7))
      : alloc(length);
  written.push({ place: target, isRead: false });
  return target;
}

/** The 8 bytes in a place of 15 whose offset is a multiple of 8; all regions begin at such an address. */
function aligned({ region, offset }: Place): Place {
  return { region, offset: Math.ceil(offset / 8) * 8, length: 8 };
}

function overlap(a: Place, b: Place): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}
