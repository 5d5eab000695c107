/**
 * A CQ of basic beside that of the HCA itself, which is the model, in random programs: after each step the same completions are polled, the same
 * events come, and the same is refused. With buffering and without.
 */
import { expect } from 'chai';
import fc from 'fast-check';
import {
  AccessFlags,
  connectPair,
  EventType,
  openVerbs,
  QpState,
  QpType,
  SendFlags,
  VerbsError,
  WorkCompletion,
  WrOpcode,
} from 'openverbs';
import type {
  CompletionChannel,
  CompletionQueue,
  Context,
  Device,
  MemoryRegion,
  OpenVerbsConfig,
  ProtectionDomain,
  QueuePair,
  SharedReceiveQueue,
} from 'openverbs';

/** The last of these receives from an SRQ. */
const QPS = 3;
const CAP = { maxSendWr: 16, maxRecvWr: 16 };
const LIMIT_MAX = 3;
const PEER_CQE = 4096;
const { SIGNALED, SOLICITED } = SendFlags;

const qp = fc.nat(QPS - 1);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant('receive' as const), qp, count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 8, arbitrary: fc.record({ does: fc.constant('message' as const), qp, solicited: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('write' as const), qp, signaled: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant('poll' as const), limit: fc.integer({ min: 1, max: LIMIT_MAX }) }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('reset' as const), qp }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('replace' as const), qp }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('fail' as const), qp }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('resize' as const), cqe: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('arm' as const), solicitedOnly: fc.boolean() }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const message: Step = { does: 'message', qp: 0, solicited: false };
const receives: Step = { does: 'receive', qp: 0, count: 3 };
/** Overruns with a completion that was fetched and not polled, which keeps its place. */
const KEPT: [number, Step[]] = [
  2,
  [receives, receives, message, message, { does: 'poll', limit: 1 }, ...Array<Step>(4).fill(message)],
];

/** A QP that completes into the CQ, and its peer, which completes elsewhere. */
interface Pair {
  qp: QueuePair;
  peer: QueuePair;
  /** Receives that no message has taken; those of the SRQ are counted together. */
  receives: number;
  works: boolean;
}

/** The program on one of the devices. What it sees is what its methods return. */
class Program {
  readonly context: Context;
  readonly #pd: ProtectionDomain;
  readonly #mr: MemoryRegion;
  readonly #channel: CompletionChannel;
  readonly #cq: CompletionQueue;
  readonly #peerCq: CompletionQueue;
  readonly #srq: SharedReceiveQueue;
  readonly #pairs: Pair[];
  readonly #wcs = WorkCompletion.array(LIMIT_MAX);
  #wrId = 0;
  #shared = 0;

  constructor(device: Device, cqe: number) {
    this.context = device.open();
    this.#pd = this.context.allocPd();
    this.#mr = this.#pd.regMr(this.context.allocBuf(4096), AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
    this.#channel = this.context.createCompChannel();
    this.#cq = this.context.createCq({ cqe, channel: this.#channel });
    this.#peerCq = this.context.createCq({ cqe: PEER_CQE });
    this.#srq = this.#pd.createSrq({ attr: { maxWr: 64 } });
    this.#pairs = Array.from({ length: QPS }, (_, n) => this.#pair(n));
  }

  /** Takes a step, and tells what came of it. */
  take(each: Step): unknown[] {
    const seen = [this.#take(each)];
    for (let event = this.context.tryGetAsyncEvent(); event !== null; event = this.context.tryGetAsyncEvent()) {
      this.context.ackAsyncEvent(event);
      seen.push(event.type);
    }
    for (let cq = this.#channel.tryGetCqEvent(); cq !== null; cq = this.#channel.tryGetCqEvent()) {
      cq.ackEvents(1);
      seen.push('completion event');
    }
    return seen;
  }

  /** One at a time, so that what is buffered is polled as slowly as can be. */
  rest(): unknown[] {
    const polled: unknown[] = [];
    for (let more = this.poll(1); more.length > 0; more = this.poll(1)) polled.push(...more);
    return polled;
  }

  poll(limit: number): unknown[] {
    const n = this.#cq.poll(this.#wcs, limit);
    const names = new Map(this.#pairs.map((pair, at) => [pair.qp.qpNum, at]));
    return this.#wcs.slice(0, n).map(({ wrId, status, qpNum }) => [wrId, status, names.get(qpNum)]);
  }

  #take(each: Step): unknown {
    if (each.does === 'poll') return this.poll(each.limit);
    if (each.does === 'arm') return this.#cq.reqNotifyReportMissed(each.solicitedOnly);
    if (each.does === 'resize') return refused(() => this.#cq.resize(each.cqe)) ?? this.#cq.cqe;
    const pair = this.#pairs[each.qp];
    const shares = each.qp === QPS - 1;
    if (each.does === 'receive') return this.#receive(pair, shares, each.count);
    if (each.does === 'message') return this.#message(pair, shares, each.solicited);
    if (each.does === 'write') return pair.works && refused(() => this.#write(pair.qp, each.signaled));
    if (each.does === 'fail') {
      pair.works = false;
      pair.qp.modify({ qpState: QpState.ERR });
    } else if (each.does === 'reset') {
      for (const end of [pair.qp, pair.peer]) end.modify({ qpState: QpState.RESET });
      this.#restart(pair);
    } else {
      pair.qp.destroy();
      pair.peer.destroy();
      this.#pairs[each.qp] = this.#pair(each.qp);
    }
    return undefined;
  }

  #receive(pair: Pair, shares: boolean, count: number): unknown {
    const wrs = Array.from({ length: count }, () => ({ wrId: ++this.#wrId }));
    const error = refused(() => {
      if (shares) this.#srq.postRecv(wrs);
      else pair.qp.postRecv(wrs);
    });
    if (error !== undefined) return error;
    if (shares) this.#shared += count;
    else pair.receives += count;
    return undefined;
  }

  #message(pair: Pair, shares: boolean, solicited: boolean): unknown {
    if (!pair.works || (shares ? this.#shared : pair.receives) === 0) return 'nobody receives';
    if (shares) this.#shared--;
    else pair.receives--;
    pair.peer.postSend({ opcode: WrOpcode.SEND, sendFlags: SIGNALED | (solicited ? SOLICITED : 0) });
    return this.#peerCq.poll(this.#wcs, 1);
  }

  #write(from: QueuePair, signaled: boolean): void {
    const sgList = [this.#mr.sge(0, 8)];
    const { addr: remoteAddr, rkey } = this.#mr;
    const sendFlags = signaled ? SIGNALED : 0;
    from.postSend({ wrId: ++this.#wrId, opcode: WrOpcode.RDMA_WRITE, sendFlags, sgList, remoteAddr, rkey });
  }

  #pair(n: number): Pair {
    const cqs = { sendCq: this.#cq, recvCq: this.#cq };
    const srq = n === QPS - 1 ? this.#srq : null;
    const made = this.#pd.createQp({ qpType: QpType.RC, ...cqs, srq, cap: CAP });
    const peer = this.#pd.createQp({ qpType: QpType.RC, sendCq: this.#peerCq, recvCq: this.#peerCq, cap: CAP });
    const pair = { qp: made, peer, receives: 0, works: true };
    this.#restart(pair);
    return pair;
  }

  #restart(pair: Pair): void {
    connectPair(pair.qp, pair.peer);
    pair.receives = 0;
    pair.works = true;
  }
}

function refused(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (!VerbsError.is(error)) throw error;
    return error.code;
  }
}

/** True when it ended in an overrun. */
function compare(model: Program, basic: Program, steps: readonly Step[]): boolean {
  for (const [at, each] of steps.entries()) {
    const expected = model.take(each);
    expect(basic.take(each), `step ${at}, ${JSON.stringify(each)}`).to.deep.equal(expected);
    if (!expected.includes(EventType.CQ_ERR)) continue;
    expect(basic.rest(), 'what it holds').to.deep.equal(model.rest());
    return true;
  }
  expect(basic.rest(), 'the rest').to.deep.equal(model.rest());
  return false;
}

/** Runs so many programs, of which some have to overrun the CQ. */
export function describePlainCq(count: number, overrunsMin: number): void {
  describe('a CQ of basic and that of the HCA', function () {
    this.timeout(120_000);

    for (const cqeBuffering of [true, false]) {
      it(`agree after every step, CQE buffering ${cqeBuffering ? 'on' : 'off'}`, () => {
        const config: OpenVerbsConfig = { provider: 'xen:basic', xen: { cqeBuffering } };
        using native = openVerbs({ provider: 'emulated' });
        using xen = openVerbs(config);
        let overruns = 0;
        fc.assert(
          fc.property(
            fc.integer({ min: 1, max: 8 }),
            fc.array(step, { minLength: 20, maxLength: 80 }),
            (cqe, steps) => {
              const programs = [native, xen].map((verbs) => new Program(verbs.device(), cqe));
              try {
                if (compare(programs[0], programs[1], steps)) overruns++;
              } finally {
                for (const { context } of programs) context[Symbol.dispose]();
              }
            },
          ),
          { numRuns: count, examples: [KEPT] },
        );
        expect(overruns, 'programs that overran').to.be.at.least(overrunsMin);
      });
    }
  });
}
