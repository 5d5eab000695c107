/**
 * Whose packets the network carried, and what it did to them: by transport and opcode of the work request that they belong to, which
 * their PSN tells. Answers count for the request that they answer.
 */
import { FaultInjector } from '@openverbs/netdev';
import { isLocal, operates } from './operations.ts';
import { lengthOf } from './program.ts';
import type { Operation } from './program.ts';

/** What became of the packets of one kind. */
export interface TrafficRow {
  operations: number;
  /** From the requester, the ones that were sent again among them. */
  requests: number;
  /** From the responder. */
  answers: number;
  again: number;
  dropped: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
  delayed: number;
  partitioned: number;
}

const FAULTS = ['dropped', 'duplicated', 'reordered', 'corrupted', 'partitioned'] as const;
const PSN_MASK = 0xffffff;
const UD = 0x60;
/** Where the transport headers begin, behind UDP (RFC 791, RFC 8200, RFC 768). */
const BTH_AT = { 4: 28, 6: 48 } as const;
/** Operations that answers have: those of reads, ACKNOWLEDGE and the atomic one (IBTA 9.2.1). */
const ANSWER_FIRST = 0x0d;
const ANSWER_LAST = 0x12;

const ACKNOWLEDGE = 0x11;
/** The AETH of an acknowledge stands behind it. */
const BTH_BYTES = 12;
const CREDITS_UNCOUNTED = 0x1f;
const NAK_FIRST = 0x40;

/** What a QP has sent since it was connected. */
interface Stream {
  readonly transport: string;
  readonly mtu: number;
  readonly firstPsn: number;
  /** Where each operation begins, counted from the first PSN, and whose it is. */
  readonly begins: number[];
  readonly rows: TrafficRow[];
  /** PSNs of all that was posted, and those that were sent. */
  posted: number;
  sent: number;
}

/** One end of a connection. */
export interface Address {
  readonly device: number;
  readonly qpNum: number;
}

const { send } = FaultInjector.prototype;
let watcher: Traffic | null = null;

/** All injectors of the process: that of the devices is deep inside the provider. */
FaultInjector.prototype.send = function (frame, length, source, destination, nowNs): void {
  watcher?.onFrame(this.frames.u8.slice(frame >>> 0, (frame >>> 0) + length), source, destination, nowNs);
  const row = watcher?.find(this.frames.u8, frame, destination);
  if (row === undefined) return send.call(this, frame, length, source, destination, nowNs);
  const before = this.counters;
  send.call(this, frame, length, source, destination, nowNs);
  const after = this.counters;
  for (const fault of FAULTS) row[fault] += after[fault] - before[fault];
  if (watcher!.delays && after.dropped === before.dropped && after.partitioned === before.partitioned) row.delayed++;
};

/** Has all packets looked at from here on. */
export function watch(traffic: Traffic): void {
  watcher = traffic;
}

/** A row of nothing. */
export function emptyRow(): TrafficRow {
  return {
    operations: 0,
    requests: 0,
    answers: 0,
    again: 0,
    dropped: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    delayed: 0,
    partitioned: 0,
  };
}

export class Traffic {
  readonly rows: Record<string, TrafficRow> = {};
  /** What acknowledges said, by {@link acknowledgeKind}. */
  readonly acknowledges: Record<string, number> = {};
  /** Whether packets are under way for longer than no time. */
  delays = false;
  /** Called for each frame before anything is done to it: a copy, the ports that it goes from and to, and when. */
  onFrame: (frame: Uint8Array, source: number, destination: number, nowNs: number) => void = () => undefined;
  /** By the address of who gets the requests, and of who gets the answers. */
  readonly #requests = new Map<number, Stream>();
  readonly #answers = new Map<number, Stream>();

  /** A QP is connected to another, and sends under these PSNs. */
  connect(from: Address, to: Address, transport: string, firstPsn: number, mtu: number): void {
    const stream: Stream = { transport, mtu, firstPsn, begins: [], rows: [], posted: 0, sent: 0 };
    this.#requests.set(keyOf(to), stream);
    this.#answers.set(keyOf(from), stream);
  }

  /** An operation of a connected QP. */
  post(from: Address, operation: Operation): void {
    const stream = this.#answers.get(keyOf(from))!;
    const { name, moves, isWord } = operates(operation.opcode);
    const row = this.count(`${stream.transport} ${name}`);
    if (isLocal(operation.opcode)) return;
    stream.begins.push(stream.posted);
    stream.rows.push(row);
    const isOne = isWord || moves === 'none';
    stream.posted += isOne ? 1 : Math.max(1, Math.ceil(lengthOf(operation.pieces) / stream.mtu));
  }

  /** Counts an operation under a name. */
  count(name: string): TrafficRow {
    const row = (this.rows[name] ??= emptyRow());
    row.operations++;
    return row;
  }

  /** The row of a packet, in which it is counted. */
  find(u8: Uint8Array, frame: number, destination: number): TrafficRow | undefined {
    const at = (frame >>> 0) + BTH_AT[(u8[frame >>> 0] >>> 4) as 4 | 6];
    const opcode = u8[at];
    if ((opcode & 0xe0) === UD) return this.#datagram(opcode);
    const operation = opcode & 0x1f;
    const isAnswer = operation >= ANSWER_FIRST && operation <= ANSWER_LAST;
    const key = keyOf({ device: (destination >>> 8) & 0xff, qpNum: word24(u8, at + 5) });
    const stream = (isAnswer ? this.#answers : this.#requests).get(key);
    if (stream === undefined || stream.rows.length === 0) return undefined;
    const psn = (word24(u8, at + 9) - stream.firstPsn) & PSN_MASK;
    const index = ownerOf(stream, psn);
    const row = stream.rows[index];
    if (operation === ACKNOWLEDGE) this.#countAcknowledge(u8[at + BTH_BYTES]);
    if (isAnswer) row.answers++;
    else {
      row.requests++;
      const end = stream.begins[index + 1] ?? stream.posted;
      const isRead = operation === ANSWER_FIRST - 1;
      if (psn < stream.sent) row.again++;
      else stream.sent = isRead ? end : psn + 1;
    }
    return row;
  }

  #countAcknowledge(syndrome: number): void {
    const kind = acknowledgeKind(syndrome);
    this.acknowledges[kind] = (this.acknowledges[kind] ?? 0) + 1;
  }

  #datagram(opcode: number): TrafficRow {
    const row = (this.rows[opcode === 0x64 ? 'UD SEND' : 'UD SEND_WITH_IMM'] ??= emptyRow());
    row.requests++;
    return row;
  }
}

/** What an AETH says (IBTA 9.7.5.1, 9.7.7.2). */
function acknowledgeKind(syndrome: number): string {
  if (syndrome === 0) return 'no credits';
  if (syndrome < CREDITS_UNCOUNTED) return 'credits';
  if (syndrome === CREDITS_UNCOUNTED) return 'credits not counted';
  return syndrome < NAK_FIRST ? 'RNR NAK' : 'NAK';
}

/** The last operation that begins at this PSN or before. */
function ownerOf({ begins }: Stream, psn: number): number {
  let low = 0;
  for (let high = begins.length - 1; low < high;) {
    const middle = (low + high + 1) >>> 1;
    if (begins[middle] <= psn) low = middle;
    else high = middle - 1;
  }
  return low;
}

function keyOf({ device, qpNum }: Address): number {
  return device * 2 ** 24 + qpNum;
}

function word24(u8: Uint8Array, at: number): number {
  return (u8[at] << 16) | (u8[at + 1] << 8) | u8[at + 2];
}
