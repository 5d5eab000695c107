/** What was posted and what came of it: the observations that the model judges. */
import type { Place, Placed } from './placement.ts';
import type { Breakage, ConnectionPlan, Operation, Side } from './program.ts';

/** Fields of a completion that mean something. */
export interface Completion {
  readonly wrId: number;
  readonly status: number;
  readonly opcode: number;
  readonly byteLen: number;
  readonly immData: number;
  readonly wcFlags: number;
  readonly qpNum: number;
  /** Datagrams: who sent it. */
  readonly srcQp: number;
  readonly vendorErr: number;
}

/** A send work request. */
export interface SendRecord {
  /** Index of the step. */
  readonly step: number;
  readonly operation: Operation;
  readonly placed: Placed;
  /** Whether it makes a completion when it succeeds. */
  readonly signaled: boolean;
  /** Compare and swap: what it compares with. */
  readonly compare: bigint;
  /** Moments count posts and completions. */
  readonly postedAt: number;
  /** SEND_WITH_INV: the key that it invalidates. */
  readonly invalidates: number;
  completion: Completion | null;
  completedAt: number;
}

/** A receive work request. */
export interface ReceiveRecord {
  /** Of the step whose operation should take it; of a shared one, its number. */
  readonly step: number;
  /** The operation that it is for; null for a shared one. */
  readonly operation: Operation | null;
  /** Index of the shared queue that it is of; null for none. */
  readonly srq: number | null;
  readonly places: readonly Place[];
  completion: Completion | null;
}

/** One end in a round. */
export interface EndRecord {
  readonly qpNum: number;
  /** In the order of posting. */
  readonly sends: SendRecord[];
  readonly receives: ReceiveRecord[];
  /** Whether the queue pair was in the error state when the round was over. */
  failed: boolean;
  /** Whether it was destroyed before its completions were polled. */
  destroyed: boolean;
}

/** A round of a connection. */
export interface RoundRecord {
  readonly connection: number;
  readonly round: number;
  readonly plan: ConnectionPlan;
  readonly ends: readonly [EndRecord, EndRecord];
  /** What was done to it. */
  readonly breakages: Breakage[];
  /** Whether the two were cut off from each other for longer than the retries last. */
  cutOff: boolean;
}

/** A request to serve one direction of a round. */
export interface Lane {
  readonly record: RoundRecord;
  readonly side: Side;
  readonly requester: EndRecord;
  readonly responder: EndRecord;
}

/** Both directions. */
export function lanesOf(record: RoundRecord): readonly [Lane, Lane] {
  const [a, b] = record.ends;
  return [
    { record, side: 0, requester: a, responder: b },
    { record, side: 1, requester: b, responder: a },
  ];
}

/** What the model finds wrong. */
export class Deviation extends Error {
  /** The kind of it, which stays the same while a program is made smaller. */
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.name = 'Deviation';
    this.kind = kind;
  }
}
