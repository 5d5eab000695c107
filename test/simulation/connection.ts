/** A connection while it runs: its two queue pairs, and what is posted to them. */
import { AccessFlags, MigState, QpState, QpType, RecvWr } from 'openverbs';
import type { Mtu, QueuePair, SendWr } from 'openverbs';
import { isExtendable, postExtended } from './extended-form.ts';
import { operates } from './operations.ts';
import type { Placed } from './placement.ts';
import { regionOf } from './placement.ts';
import { hear } from './program.ts';
import type { ConnectionPlan, EndPlan, Operation, Side } from './program.ts';
import type { EndRecord, ReceiveRecord, RoundRecord, SendRecord } from './record.ts';
import type { Address } from './traffic.ts';
import { endWindow } from './windows.ts';
import type { ShownWindow } from './windows.ts';
import { sgesOf, workRequest } from './work-request.ts';
import type { Request } from './work-request.ts';
import { PORTS, registerAgain } from './world.ts';
import type { Device, Queue, Region, World } from './world.ts';

const { LOCAL_WRITE, REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC, FLUSH_GLOBAL } = AccessFlags;
/** PSNs of two rounds are far apart, so that a late packet of one is not taken for one of the next. */
const PSNS_A_ROUND = 0x123457;
const PSN_MASK = 0xffffff;
/** Work request IDs, above 32 bits: those of sends and of receives, from which the step counts on. */
export const RECEIVE_ID = 2 ** 40;
export const SEND_ID = 2 ** 33;

/** A receive that is not posted yet. */
interface Waiting {
  readonly step: number;
  readonly operation: Operation;
  readonly placed: Placed;
  /** When it may be posted; Infinity before the operation that takes it was. */
  dueNs: number;
}

/** One end while it runs. */
export interface End {
  readonly plan: EndPlan;
  readonly device: Device;
  readonly region: Region;
  readonly sendQueue: Queue;
  readonly recvQueue: Queue;
  qp: QueuePair | null;
  record: EndRecord;
  window: ShownWindow | null;
  readonly waiting: Waiting[];
}

/** A send to post. */
export interface Post extends Omit<Request, 'wrId'> {
  readonly step: number;
}

/** Told of what is posted, before it is. */
export interface Hooks {
  sends(record: SendRecord): void;
  receives(record: ReceiveRecord): void;
}

export class Connection {
  readonly index: number;
  readonly plan: ConnectionPlan;
  readonly ends: readonly [End, End];
  round = -1;
  record: RoundRecord;
  readonly #world: World;
  readonly #hooks: Hooks;

  constructor(world: World, plan: ConnectionPlan, index: number, hooks: Hooks) {
    this.#hooks = hooks;
    this.#world = world;
    this.plan = plan;
    this.index = index;
    const makeEnd = (side: Side): End => ({
      plan: plan.ends[side],
      device: world.devices[plan.ends[side].device],
      region: world.regions[regionOf(index, side)],
      sendQueue: world.queues[plan.ends[side].sendCq],
      recvQueue: world.queues[plan.ends[side].recvCq],
      qp: null,
      record: emptyEnd(0),
      window: null,
      waiting: [],
    });
    this.ends = [makeEnd(0), makeEnd(1)];
    this.record = {
      connection: index,
      round: -1,
      plan,
      ends: [emptyEnd(0), emptyEnd(0)],
      breakages: [],
      cutOff: false,
    };
  }

  /** Connects the two, for a further time. */
  open(round: number): void {
    this.round = round;
    for (const end of this.ends) {
      if (end.qp !== null && this.plan.renews) this.#destroy(end);
      if (end.qp === null) end.qp = this.#create(end);
      else end.qp.modify({ qpState: QpState.RESET });
      end.record = emptyEnd(end.qp.qpNum);
    }
    this.#registerAgain(round);
    const [a, b] = this.ends;
    this.record = { ...this.record, round, ends: [a.record, b.record], breakages: [], cutOff: !hear(this.plan) };
    this.#connect(a, b);
    this.#connect(b, a);
    if (this.plan.paths !== true) return;
    this.#arm(a, b);
    this.#arm(b, a);
  }

  /** Goes over to the alternate path, unless that was done. */
  migrate(side: Side): void {
    const { qp } = this.ends[side];
    if (qp?.state !== QpState.RTS || qp.query().attr.pathMigState !== MigState.ARMED) return;
    qp.modify({ pathMigState: MigState.MIGRATED });
  }

  /** What lies between two rounds. */
  #registerAgain(round: number): void {
    const { registers } = this.plan;
    for (const end of this.ends) {
      endWindow(end);
      if (round > 0 && registers !== undefined) registerAgain(end.device, end.region, registers);
    }
  }

  /** Destroys a queue pair while it works. */
  breakOff(side: Side): void {
    const end = this.ends[side];
    end.record.failed = end.qp?.state === QpState.ERR;
    end.record.destroyed = true;
    end.waiting.length = 0;
    this.#destroy(end);
  }

  close(): void {
    for (const end of this.ends) {
      if (end.qp !== null) this.#destroy(end);
      endWindow(end);
    }
  }

  /** How many more the send queue takes, as far as the completions polled tell. */
  room({ plan, record }: End): number {
    const freed = record.sends.findLastIndex(({ completion }) => completion !== null) + 1;
    return plan.maxSendWr - (record.sends.length - freed);
  }

  /** Whether everything that was posted at either end is complete; the last of each has to be signaled. */
  get isIdle(): boolean {
    return this.ends.every(({ qp, record }) => qp === null || record.sends.at(-1)?.completion !== null);
  }

  /** Posts sends of one end, in one call. */
  postSends(side: Side, posts: readonly Post[]): void {
    const end = this.ends[side];
    const peer = this.ends[1 - side];
    const wrs = posts.map(({ step, ...post }) =>
      workRequest(this.#world, end, peer, { wrId: SEND_ID + step, ...post }),
    );
    for (const { step, operation, placed, signaled, compare } of posts) {
      const record: SendRecord = {
        step,
        operation,
        placed,
        signaled: signaled || end.plan.sqSigAll,
        compare,
        invalidates: operates(operation.opcode).invalidates ? peer.window!.rkey : 0,
        postedAt: this.#world.moment++,
        completion: null,
        completedAt: Infinity,
      };
      // Before the post, whose completion may be there when it returns.
      end.record.sends.push(record);
      this.#hooks.sends(record);
      this.#world.traffic.post(addressOf(end), operation);
    }
    if (posts[0].operation.extended === true && wrs.every(isExtendable)) postExtended(end.qp!, wrs);
    else if (wrs.length === 1) end.qp!.postSend(wrs[0]);
    else this.#postChain(end.qp!, wrs);
    for (const waiting of peer.waiting) {
      if (posts.some(({ step }) => waiting.step === step)) {
        waiting.dueNs = this.#world.clock.nowNs() + (waiting.operation.receive?.lateNs ?? 0);
      }
    }
  }

  /** Posts what receives may be posted; true when there were some. */
  postReceives(end: End): boolean {
    const { qp, record, plan, region, device, waiting } = end;
    const nowNs = this.#world.clock.nowNs();
    let posted = false;
    while (qp !== null && waiting.length > 0 && waiting[0].dueNs <= nowNs) {
      if (record.receives.filter(({ completion }) => completion === null).length >= plan.maxRecvWr) break;
      const { step, operation, placed } = waiting.shift()!;
      const lkey = operation.mistake === 'recvKey' ? device.staleKey : region.mr.lkey;
      const receive: ReceiveRecord = { step, operation, srq: null, places: placed.receive, completion: null };
      record.receives.push(receive);
      this.#hooks.receives(receive);
      qp.postRecv(new RecvWr({ wrId: RECEIVE_ID + step, sgList: sgesOf(region, placed.receive, lkey) }));
      posted = true;
    }
    return posted;
  }

  /** As a list, or linked. */
  #postChain(qp: QueuePair, wrs: readonly SendWr[]): void {
    if (wrs.length % 2 === 0) return qp.postSend(wrs);
    wrs.forEach((wr, n) => (wr.next = wrs[n + 1] ?? null));
    qp.postSend(wrs[0]);
  }

  /** An alternate path, by the last ports. Both ends are armed once both have one. */
  #arm({ qp }: End, { device }: End): void {
    const { portNum, pkeyIndex, timeout } = qp!.query().attr;
    const altPortNum = portNum + PORTS - 1;
    const grh = { dgid: device.context.queryGid(altPortNum, 0), sgidIndex: 0 };
    const altAhAttr = { isGlobal: true, grh, portNum: altPortNum };
    const path = { altAhAttr, altPortNum, altPkeyIndex: pkeyIndex, altTimeout: timeout };
    this.#world.expectMigration(qp!, hear(this.plan));
    qp!.modify({ ...path, pathMigState: MigState.REARM });
  }

  #create(end: End): QueuePair {
    const { plan, device, sendQueue, recvQueue } = end;
    const { maxSendWr, maxRecvWr, maxSge, maxInlineData, sqSigAll } = plan;
    if (this.plan.transport === 'XRC') {
      if (end === this.ends[1]) return this.#world.xrcds.get(plan.device)!.createQp();
      const cap = { maxSendWr, maxSendSge: maxSge, maxInlineData };
      return device.pd.createQp({ qpType: QpType.XRC_SEND, sendCq: sendQueue.cq, sqSigAll, cap });
    }
    return device.pd.createQp({
      qpType: QpType[this.plan.transport],
      sendCq: sendQueue.cq,
      recvCq: recvQueue.cq,
      srq: plan.srq === undefined ? null : this.#world.shared[plan.srq].srq,
      sqSigAll,
      cap: { maxSendWr, maxRecvWr, maxSendSge: maxSge, maxRecvSge: maxSge, maxInlineData },
    });
  }

  #destroy(end: End): void {
    this.#world.ackEvents(end.device);
    end.qp?.destroy();
    end.qp = null;
  }

  #connect(end: End, peer: End): void {
    const { mtu, transport, minRnrTimer, timeout, retryCnt, rnrRetry } = this.plan;
    const isReliable = transport !== 'UC';
    const isXrc = transport === 'XRC';
    const psn = (at: End): number => (at.plan.psn + this.round * PSNS_A_ROUND) & PSN_MASK;
    const qp = end.qp!;
    const rights = isReliable ? REMOTE_READ | REMOTE_ATOMIC | FLUSH_GLOBAL : 0;
    const pkeyIndex = this.plan.pkeys?.[this.ends.indexOf(end)] ?? 0;
    qp.toInit({ pkeyIndex, accessFlags: LOCAL_WRITE | REMOTE_WRITE | rights });
    const serves = { minRnrTimer, maxDestRdAtomic: peer.plan.maxRdAtomic };
    const isSender = isXrc && end === this.ends[0];
    qp.toRtr(peer.qp!.endpoint(), { pathMtu: mtu as Mtu, rqPsn: psn(peer), ...(isReliable && !isSender && serves) });
    if (isXrc && !isSender) return; // it sends nothing
    const asks = { timeout, retryCnt, rnrRetry, maxRdAtomic: end.plan.maxRdAtomic };
    qp.toRts(undefined, { sqPsn: psn(end), ...(isReliable && asks) });
    this.#world.traffic.connect(addressOf(end), addressOf(peer), transport, psn(end), 128 << mtu);
  }
}

function addressOf({ plan: { device }, qp }: End): Address {
  return { device, qpNum: qp!.qpNum };
}

function emptyEnd(qpNum: number): EndRecord {
  return { qpNum, sends: [], receives: [], failed: false, destroyed: false };
}
