/**
 * A program of the simulation: what is posted to which queue pairs, on which network. Plain data, so that it can be cut down and
 * kept as a regression test.
 */
import type { WrOpcode } from 'openverbs';

/** A program. Nothing else decides what a run does. */
export interface Program {
  /** Of the bytes in memory and of the faults. */
  readonly seed: number;
  /** HCAs, all on one link. */
  readonly devices: number;
  /** Whether messages travel as packets; otherwise each is one descriptor, and there are no faults. */
  readonly packets: boolean;
  readonly weather: Weather;
  readonly cqs: readonly CqPlan[];
  /** None, unless said. */
  readonly srqs?: readonly SrqPlan[];
  readonly connections: readonly ConnectionPlan[];
  /** UD queue pairs. */
  readonly sockets?: readonly SocketPlan[];
  /** In the order of their time. */
  readonly steps: readonly Step[];
}

/**
 * The network: bad for a while, then good for a while, by turns. It is never bad for as long as the retries of a QP last, and good
 * for long enough to answer one: so that an error for want of an answer is a mistake, unless there is another reason.
 */
export interface Weather {
  readonly drop: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly corrupt: number;
  /** Microseconds, in good weather too. */
  readonly delay: number;
  readonly badNs: number;
  readonly goodNs: number;
  /** Bad from the beginning to the end instead, and not so bad that retries would not do. */
  readonly steady?: true;
}

/** A completion queue. */
export interface CqPlan {
  readonly device: number;
  /** Polled after events only, or whenever it suits. */
  readonly events: 'none' | 'next' | 'solicited';
}

/** A shared receive queue: filled up whenever it suits. */
export interface SrqPlan {
  readonly device: number;
  readonly maxWr: number;
  /** SGEs of each receive. */
  readonly maxSge: number;
  /** Armed again and again, if at all: fewer receives than this raise an event. */
  readonly limit?: number;
  /** Index of {@link Program.cqs}: it is an XRC SRQ, of the domain of its device, and completes there. */
  readonly cq?: number;
}

/**
 * Two queue pairs that face each other, perhaps several times: each time is a round. Of XRC the first one sends, and the second one
 * receives into whatever XRC SRQ of its device an operation names.
 */
export interface ConnectionPlan {
  readonly transport: 'RC' | 'UC' | 'XRC';
  readonly ends: readonly [EndPlan, EndPlan];
  /** A code of `Mtu`. */
  readonly mtu: number;
  /** A code: 4.096 us * 2^timeout. */
  readonly timeout: number;
  readonly retryCnt: number;
  readonly rnrRetry: number;
  readonly minRnrTimer: number;
  /** P_Key indices of the two ends; the default one, unless said. */
  readonly pkeys?: readonly [number, number];
  /** What happens to the memory regions between two rounds. */
  readonly registers?: 'anew' | 'again';
  /** RC: both ends have an alternate path, by the second ports of their devices, armed at the beginning of each round. */
  readonly paths?: boolean;
  /** Whether the queue pairs are made anew for each round, or reset. */
  readonly renews: boolean;
}

/** One queue pair. */
export interface EndPlan {
  readonly device: number;
  /** Indices of {@link Program.cqs}. */
  readonly sendCq: number;
  readonly recvCq: number;
  /** Index of {@link Program.srqs}, unless it has receives of its own. */
  readonly srq?: number;
  /** First PSN of the first round. */
  readonly psn: number;
  readonly maxSendWr: number;
  readonly maxRecvWr: number;
  readonly maxSge: number;
  readonly maxInlineData: number;
  readonly maxRdAtomic: number;
  readonly sqSigAll: boolean;
}

/** Which of the two ends. */
export type Side = 0 | 1;

/** What happens. */
export type Step = Operation | Breakage | Drain | Migration | Cut | Datagram;

interface Timed {
  /** Time that passes before. */
  readonly waitNs: number;
}

/** What every step of a connection has. */
interface OfConnection extends Timed {
  readonly connection: number;
  readonly round: number;
  /** Who does it. */
  readonly side: Side;
}

/** What is wrong with an operation, so that it fails. */
export type Mistake = 'rkey' | 'range' | 'access' | 'lkey' | 'short' | 'recvKey' | 'unaligned' | 'window' | 'srqn';

/** A work request. */
export interface Operation extends OfConnection {
  readonly do: 'post';
  readonly opcode: WrOpcode;
  /** Bytes of each SGE; of the range of a FLUSH. */
  readonly pieces: readonly number[];
  readonly inline: boolean;
  readonly signaled: boolean;
  readonly fence: boolean;
  readonly solicited: boolean;
  readonly imm: number;
  /** Writes go over the target of the write so many before it; reads read it. 0 for a place of its own. */
  readonly again: number;
  /** Atomics: which counter of the peer's device, and operands in hexadecimal. */
  readonly counter: number;
  readonly operand: string;
  /** The receive that it takes. */
  readonly receive: ReceivePlan | null;
  readonly mistake: Mistake | null;
  /** XRC: index of {@link Program.srqs}. */
  readonly srq?: number;
  /** Whether it goes through the memory window that the peer shows, if it does. */
  readonly window?: boolean;
  /** Whether it is posted in one call with the one before. */
  readonly chained?: boolean;
  /** Whether it, and those that are posted with it, are posted in the extended form. */
  readonly extended?: boolean;
}

/** A receive work request. */
export interface ReceivePlan {
  readonly pieces: readonly number[];
  /** Posted so long after what takes it; negative for early, as soon as there is room. */
  readonly lateNs: number;
}

/** A queue pair is put into the error state, or destroyed. */
export interface Breakage extends OfConnection {
  readonly do: 'error' | 'destroy';
}

/** A send queue is drained, stays so for a while, and goes on. */
export interface Drain extends OfConnection {
  readonly do: 'drain';
  readonly lastsNs: number;
}

/** An end goes over to its alternate path, if that is armed. */
export interface Migration extends OfConnection {
  readonly do: 'migrate';
}

/** Devices are cut off from the others for so long. */
export interface Cut extends Timed {
  readonly do: 'cut';
  readonly devices: readonly number[];
  readonly lastsNs: number;
}

/** Bytes in front of a received datagram. */
export const GRH_BYTES = 40;

/** A UD queue pair: in use from the beginning to the end. */
export interface SocketPlan {
  readonly device: number;
  /** Indices of {@link Program.cqs}. */
  readonly sendCq: number;
  readonly recvCq: number;
  readonly qkey: number;
  readonly psn: number;
  readonly maxSendWr: number;
  readonly maxRecvWr: number;
  readonly maxSge: number;
  readonly maxInlineData: number;
  readonly sqSigAll: boolean;
  /** Multicast groups that it is attached to. */
  readonly groups: readonly number[];
  /** Bytes of each receive, posted one after the other while there is room. */
  readonly receives: readonly number[];
}

/** What is wrong with a datagram: it is for nobody, or can't be sent. */
export type DatagramMistake = 'qkey' | 'qpn' | 'lkey' | 'long';

/** A work request of a UD queue pair. */
export interface Datagram extends Timed {
  readonly do: 'datagram';
  /** Index of {@link Program.sockets}. */
  readonly socket: number;
  readonly to: { readonly socket: number } | { readonly group: number; readonly qkey: number };
  readonly opcode: WrOpcode;
  readonly pieces: readonly number[];
  readonly inline: boolean;
  readonly signaled: boolean;
  readonly solicited: boolean;
  readonly imm: number;
  readonly mistake: DatagramMistake | null;
  readonly extended?: boolean;
}

/** P_Keys of each device: the default partition, and another, as a full member and as a limited one. */
export const PKEYS = [0xffff, 0x8001, 0x0001, 0x0002];

/** Whether the two ends hear each other: one partition, and one of them is a full member of it (IBTA volume 1, 10.9.3). */
export function hear({ pkeys = [0, 0] }: ConnectionPlan): boolean {
  const [a, b] = pkeys.map((index) => PKEYS[index]);
  return (a & 0x7fff) === (b & 0x7fff) && ((a | b) & 0x8000) !== 0;
}

/** Index of the shared queue that an operation takes its receive from; undefined for none. */
export function sharedQueueOf({ transport, ends }: ConnectionPlan, { side, srq }: Operation): number | undefined {
  return transport === 'XRC' ? srq : ends[1 - side].srq;
}

/** Bytes of a list of SGEs. */
export function lengthOf(pieces: readonly number[]): number {
  return pieces.reduce((sum, piece) => sum + piece, 0);
}
