/** Asynchronous events. */
import type { CompletionQueue } from './completion-queue.ts';
import type { Context } from './context.ts';
import type { EventElement } from './driver/events.ts';
import { eventTypeStr, type EventType } from './enums/event-type.ts';
import { inspectCustom } from './inspect.ts';
import type { QueuePair } from './queue-pair.ts';
import type { SharedReceiveQueue } from './shared-receive-queue.ts';

/** What an event is about, beside the device. */
export interface AsyncEventSubject {
  /** The CQ. */
  readonly cq?: CompletionQueue;
  /** The QP. */
  readonly qp?: QueuePair;
  /** The SRQ. */
  readonly srq?: SharedReceiveQueue;
  /** The port, from 1. */
  readonly port?: number;
}

/** An asynchronous event (`struct ibv_async_event`): something happened that no work request asked for. */
export class AsyncEvent implements AsyncEventSubject {
  /** Where it came from, and is acknowledged. */
  readonly context: Context;
  /** One of `EventType`. */
  readonly type: EventType;
  /** What it is about; the field of that name is set. */
  readonly element: EventElement;
  /** The CQ, when `element` is `'cq'`. */
  readonly cq?: CompletionQueue;
  /** The QP, when `element` is `'qp'`. */
  readonly qp?: QueuePair;
  /** The SRQ, when `element` is `'srq'`. */
  readonly srq?: SharedReceiveQueue;
  /** The port, from 1, when `element` is `'port'`. */
  readonly port?: number;

  /** @internal */
  constructor(context: Context, type: EventType, element: EventElement, subject: AsyncEventSubject = {}) {
    this.context = context;
    this.type = type;
    this.element = element;
    Object.assign(this, subject);
  }

  /** For example `communication established, QP 17`. */
  toString(): string {
    const label = this.cq?.label ?? this.qp?.label ?? this.srq?.label;
    return `${eventTypeStr(this.type)}, ${label ?? (this.element === 'port' ? `port ${this.port}` : 'device')}`;
  }

  /** @internal */
  [inspectCustom](): string {
    return `AsyncEvent { ${this.toString()} }`;
  }
}
