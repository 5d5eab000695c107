/** Completion queues. */
import type { AsyncEventSubject } from './async-event.ts';
import { AsyncEventTarget } from './async-event-target.ts';
import type { CqModerate } from './attributes/device.ts';
import { assertOp, callOp } from './call-op.ts';
import { CallsCompletionQueue } from './calls/calls-completion-queue.ts';
import { checkInteger, show } from './check.ts';
import { checkCompletionsOptions, completionBatches, type CompletionsOptions } from './completion-batches.ts';
import type { CompletionChannel } from './completion-channel.ts';
import type { Context } from './context.ts';
import type { CqPath } from './data-path.ts';
import type { QueueBuffer } from './queue-buffer.ts';
import type { CqOps } from './driver/device-ops.ts';
import { COMPLETION_EVENT } from './driver/events.ts';
import { errnoName, invalid, VerbsError } from './errors.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import type { VerbsObject } from './lifetime.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import { isCompletion } from './rings/is-completion.ts';
import { RingCompletionQueue } from './rings/ring-completion-queue.ts';
import { traceEvent } from './tracing/trace-events.ts';
import { tracePolls } from './tracing/trace-polls.ts';
import type { WorkCompletion } from './work-completion.ts';

const MODIFY_KEYS = literalKeys<{ moderate: CqModerate }>({ moderate: true });
const MODERATE_KEYS = literalKeys<CqModerate>({ cqCount: true, cqPeriod: true });

/**
 * A completion queue (`struct ibv_cq`), from `context.createCq`.
 *
 * @example
 * ```ts
 * import type { CompletionQueue } from '@openverbs/verbs';
 *
 * async function print(cq: CompletionQueue, signal: AbortSignal): Promise<void> {
 *   for await (const batch of cq.completions({ signal })) {
 *     for (const wc of batch) console.log(wc.wrId, wc.explain());
 *   }
 * }
 * ```
 */
export class CompletionQueue extends AsyncEventTarget {
  /** Where its events go, or null. */
  readonly channel: CompletionChannel | null;
  /** The application's own. */
  readonly cqContext: unknown;
  /** @internal */
  readonly path: CqPath;
  #cqe: number;
  /** Where its ring lies, when that is memory of another. */
  #buffer: QueueBuffer | null;
  #unacknowledged = 0;
  /** Whether a loop over `completions()` runs. */
  #iterated = false;

  /** @internal */
  constructor(
    context: Context,
    channel: CompletionChannel | null,
    ops: CqOps,
    cqContext: unknown,
    owner: VerbsObject = context,
    buffer: QueueBuffer | null = null,
  ) {
    super(
      context,
      'cq',
      ops.handle,
      [owner, channel, buffer].filter((parent) => parent !== null),
    );
    const { dataPath } = ops;
    this.channel = channel;
    this.cqContext = cqContext;
    this.#buffer = buffer;
    this.path =
      dataPath.kind === 'rings'
        ? new RingCompletionQueue(dataPath, context.qpTable)
        : new CallsCompletionQueue(dataPath);
    this.#cqe = ops.cqe;
    channel?.cqs.add(this);
    tracePolls(this);
  }

  /** What messages call it. */
  get label(): string {
    return `CQ ${this.handle}`;
  }

  /** Entries that it has room for. */
  get cqe(): number {
    return this.#cqe;
  }

  /**
   * Fills `wcs` with the oldest completions, at most `limit`, and returns how many there were. Never waits. Poll into an array
   * that is made once: `WorkCompletion.array(n)`. Throws EINVAL for what is no array of completions, and for a limit beyond it.
   * Source: `ibv_poll_cq`(3).
   */
  poll(wcs: WorkCompletion[], limit?: number): number {
    if (this.destroyed) this.assertLive('ibv_poll_cq');
    try {
      const most = limit === undefined ? wcs.length : limit;
      if (most <= wcs.length) {
        if (most > 0 && !isCompletion(wcs[most - 1])) checkPoll(wcs, limit);
        const n = this.path.poll(wcs, most);
        // What is found proves the arguments; where nothing is, there is time to look at them.
        if (n > 0 || (n === 0 && most > 0 && Array.isArray(wcs) && isCompletion(wcs[0]))) return n;
        if (n < 0) throw this.#pollError(-n);
      }
    } catch (error) {
      checkPoll(wcs, limit);
      throw error;
    }
    checkPoll(wcs, limit);
    return 0;
  }

  /**
   * Asks for one event, at the next completion, or at the next one that is solicited or failed. An event is promised for
   * completions that come after this call: poll once more after arming. Source: `ibv_req_notify_cq`(3).
   */
  reqNotify(solicitedOnly = false): void {
    this.assertLive('ibv_req_notify_cq');
    this.path.reqNotify(solicitedOnly);
  }

  /**
   * As {@link CompletionQueue.reqNotify}; returns whether completions are in the queue for which no event may come, so that the caller has to
   * poll. Throws EOPNOTSUPP where the provider can't tell. Source: Linux ib_verbs.h, `ib_req_notify_cq` with IB_CQ_REPORT_MISSED_EVENTS.
   */
  reqNotifyReportMissed(solicitedOnly = false): boolean {
    const verb = 'ib_req_notify_cq';
    this.assertLive(verb);
    const missed = this.path.reqNotifyReportMissed(solicitedOnly);
    if (missed !== undefined) return missed;
    const message = `the provider of ${this.context.device.name} can't tell what ${this.label} holds`;
    throw new VerbsError({
      code: 'EOPNOTSUPP',
      verb,
      message,
      hint: 'use cq.reqNotify(), and poll once more after it',
    });
  }

  /** Acknowledges `n` events that `channel.getCqEvent` told of. The queue can't be destroyed before. Source: `ibv_ack_cq_events`(3). */
  ackEvents(n: number): void {
    this.assertLive('ibv_ack_cq_events');
    checkInteger('ibv_ack_cq_events', 'n', n, 0, this.#unacknowledged, 'events not acknowledged');
    this.#unacknowledged -= n;
  }

  /**
   * Changes the number of entries to at least `cqe`; what is in the queue stays. Throws EINVAL when more are in use, and beyond `maxCqe` of the
   * device. Source: `ibv_resize_cq`(3).
   */
  resize(cqe: number): void {
    const verb = 'ibv_resize_cq';
    this.assertLive(verb);
    assertOp(this.context, verb, 'resizeCq');
    if (this.#buffer !== null) throw invalid(verb, `${this.label} lies in ${this.#buffer.label}`, 'use resizeCqOn()');
    checkInteger(verb, 'cqe', cqe, 1, this.context.queryDevice().maxCqe, 'maxCqe of the device');
    const resized = callOp(this.context, verb, 'resizeCq', this.handle, cqe);
    this.#cqe = resized.cqe;
    if (resized.dataPath !== undefined && this.path instanceof RingCompletionQueue) this.path.rebind(resized.dataPath);
  }

  /**
   * Has one event tell of several completions: of `cqCount`, or of those that came within `cqPeriod` microseconds after the first.
   * With 0 in either, which is how a queue begins, each completion for which the queue is armed makes an event. Throws EINVAL beyond
   * `cqModCaps` of the device. Source: `ibv_modify_cq`(3).
   */
  modify(attr: { readonly moderate: CqModerate }): void {
    const verb = 'ibv_modify_cq';
    this.assertLive(verb);
    assertOp(this.context, verb, 'modifyCq');
    const { maxCqCount, maxCqPeriod } = this.context.queryDeviceEx().cqModCaps;
    checkLiteral(verb, 'attr', attr, MODIFY_KEYS);
    if (attr.moderate === undefined) throw invalid(verb, 'nothing to modify', 'give moderate');
    checkLiteral(verb, 'moderate', attr.moderate, MODERATE_KEYS);
    const { cqCount, cqPeriod } = attr.moderate;
    checkInteger(verb, 'moderate.cqCount', cqCount, 0, maxCqCount, 'cqModCaps of the device');
    checkInteger(verb, 'moderate.cqPeriod', cqPeriod, 0, maxCqPeriod, 'cqModCaps of the device');
    callOp(this.context, verb, 'modifyCq', this.handle, { cqCount, cqPeriod });
  }

  /**
   * Batches of completions as they come. Arming, waiting, acknowledging and arming again are hidden, and no wake-up is lost.
   * The array and its completions are filled again for the next batch. The queue needs a channel of its own, and
   * one loop at a time: EBUSY for a second one. Ends by `break`, or by the signal's reason being thrown.
   */
  async *completions(options: CompletionsOptions = {}): AsyncGenerator<WorkCompletion[], never, void> {
    checkCompletionsOptions(options);
    const channel = this.ownChannel();
    if (this.#iterated) {
      const message = `${this.label} is iterated already: what one loop polls, another never sees`;
      throw new VerbsError({ code: 'EBUSY', verb: 'ibv_poll_cq', message, hint: 'let one loop hand completions on' });
    }
    this.#iterated = true;
    try {
      return yield* completionBatches(this, channel, options);
    } finally {
      this.#iterated = false;
    }
  }

  /** Ends it. Throws EBUSY while queue pairs use it, or events are not acknowledged. Source: `ibv_destroy_cq`(3). */
  destroy(): void {
    this.endStrictly('ibv_destroy_cq');
  }

  /** @internal */
  [inspectCustom](): string {
    return inspectLine('CompletionQueue', { handle: this.handle, cqe: this.#cqe });
  }

  /** @internal */
  override deliver(type: number): void {
    if (type !== COMPLETION_EVENT) return super.deliver(type);
    traceEvent(this.context.device.name, this.label, type);
    this.channel?.queueEvent(this);
  }

  /** Its ring has moved to other memory of another; EINVAL when it was in none. @internal */
  moveTo(buffer: QueueBuffer, verb: string, resize: () => { readonly cqe: number }): void {
    this.assertLive(verb);
    if (this.#buffer === null) throw invalid(verb, `${this.label} has memory of its own`, 'use cq.resize()');
    this.#cqe = resize().cqe;
    this.#buffer = buffer;
    this.reparent([this.context, this.channel, buffer].filter((parent) => parent !== null));
  }

  /** The application took an event. @internal */
  countEvent(): void {
    this.#unacknowledged++;
  }

  /** @internal */ protected override asEventSubject(): AsyncEventSubject {
    return { cq: this };
  }

  /** @internal */ protected override unacknowledgedEvents(): number {
    return this.#unacknowledged + super.unacknowledgedEvents();
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_destroy_cq', 'destroyCq', this.handle);
  }

  /** @internal */ protected override onEnded(): void {
    super.onEnded();
    this.channel?.onCqEnded(this);
  }

  /** The channel, of which every event is about this queue; throws EINVAL when it is not alone there. @internal */
  ownChannel(): CompletionChannel {
    this.assertLive('ibv_req_notify_cq');
    if (this.channel?.cqs.size === 1) return this.channel;
    const message = this.channel === null ? `${this.label} has no channel` : `${this.label} shares its channel`;
    throw invalid('ibv_req_notify_cq', message, 'give the queue a channel of its own: createCq({ cqe, channel })');
  }

  #pollError(errno: number): VerbsError {
    return new VerbsError({ code: errnoName(errno), verb: 'ibv_poll_cq', message: `${this.label} can't be polled` });
  }
}

/** Refuses what completions can't be polled into. */
function checkPoll(wcs: unknown, limit: unknown): void {
  const verb = 'ibv_poll_cq';
  if (!Array.isArray(wcs)) {
    const hint = 'give an array of completions, WorkCompletion.array(n), also for one';
    throw invalid(verb, `wcs is ${show(wcs)}, not an array`, hint, { what: 'wcs' });
  }
  if (limit !== undefined) checkInteger(verb, 'limit', limit, 0, wcs.length, 'length of wcs');
  const most = limit === undefined ? wcs.length : Number(limit);
  for (let i = 0; i < most; i++) {
    if (typeof wcs[i] === 'object' && isCompletion(wcs[i] as WorkCompletion | null)) continue;
    throw invalid(verb, `wcs[${i}] is ${show(wcs[i])}, not a WorkCompletion`, 'WorkCompletion.array(n) makes them');
  }
}
