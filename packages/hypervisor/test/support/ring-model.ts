/**
 * How the sides of a shared ring fall asleep and wake each other, as small steps: one access to the page each.
 *
 * The producer pushes entries one at a time; the consumer takes them, and waits for an event when a final check finds none.
 */
import type { Model } from '@openverbs/machine/testing';

export interface RingProtocol {
  /** The consumer looks once more after it has asked for an event. */
  readonly rechecks: boolean;
  /** The producer moves its index before it looks whether an event is wanted. */
  readonly pushesFirst: boolean;
}

export const RIGHT_RING: RingProtocol = { rechecks: true, pushesFirst: true };

export interface RingState {
  prod: number;
  event: number;
  /** An event was sent, and not taken. */
  pending: boolean;
  events: number;
  producer: 'push' | 'look' | 'notify' | 'ended';
  /** What the producer has pushed, or is about to, and what of it was pushed before. */
  pushing: number;
  cons: number;
  consumer: 'look' | 'ask' | 'recheck' | 'wait' | 'ended';
}

/** The producer is thread 0, the consumer thread 1. The producer pushes `batch` entries at a time. */
export function ringModel(entries: number, batch: number, protocol: RingProtocol): Model<RingState> {
  return {
    threads: 2,
    initial: {
      prod: 0,
      event: 1,
      pending: false,
      events: 0,
      producer: protocol.pushesFirst ? 'push' : 'look',
      pushing: Math.min(batch, entries),
      cons: 0,
      consumer: 'look',
    },
    step(before, thread) {
      const state = { ...before };
      const moved = thread === 0 ? produce(state, entries, batch, protocol) : consume(state, entries, protocol);
      return moved ? state : undefined;
    },
    key: (state) => JSON.stringify(state),
  };
}

/** Whether the consumer sleeps beside entries. */
export function isStuck(state: RingState): boolean {
  return state.consumer === 'wait' && state.cons < state.prod;
}

function produce(state: RingState, entries: number, batch: number, { pushesFirst }: RingProtocol): boolean {
  const next = (): void => {
    state.producer = state.pushing === entries ? 'ended' : pushesFirst ? 'push' : 'look';
    state.pushing = Math.min(state.pushing + batch, entries);
  };
  // As RING_PUSH_REQUESTS_AND_CHECK_NOTIFY counts.
  const first = Math.floor((state.pushing - 1) / batch) * batch;
  switch (state.producer) {
    case 'push':
      state.prod = state.pushing;
      if (pushesFirst) state.producer = 'look';
      else next();
      return true;
    case 'look': {
      const wanted = state.pushing - state.event < state.pushing - first && state.pushing >= state.event;
      if (wanted) state.producer = 'notify';
      else if (pushesFirst) next();
      else state.producer = 'push';
      return true;
    }
    case 'notify':
      state.pending = true;
      state.events++;
      if (pushesFirst) next();
      else state.producer = 'push';
      return true;
    case 'ended':
      return false;
  }
}

function consume(state: RingState, entries: number, { rechecks }: RingProtocol): boolean {
  switch (state.consumer) {
    case 'look':
      if (state.cons === entries) state.consumer = 'ended';
      else if (state.cons < state.prod) state.cons++;
      else state.consumer = 'ask';
      return true;
    case 'ask':
      state.event = state.cons + 1;
      state.consumer = rechecks ? 'recheck' : 'wait';
      return true;
    case 'recheck':
      state.consumer = state.cons < state.prod ? 'look' : 'wait';
      return true;
    case 'wait':
      if (!state.pending) return false;
      state.pending = false;
      state.consumer = 'look';
      return true;
    case 'ended':
      return false;
  }
}
