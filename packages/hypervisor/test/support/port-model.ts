/**
 * How an event is sent, taken, handled and let through again, as small steps: one access to shared memory each. Time is left out: the sleep
 * of a waiter has a bound, which would hide a lost wake-up behind a delay.
 *
 * Who waits and who handles are two threads here, because a handler may unmask while somebody waits already.
 */
import type { Model } from '@openverbs/machine/testing';

export interface PortProtocol {
  /** Unmasking looks for what came meanwhile. */
  readonly unmaskLooks: boolean;
  /** A waiter reads the word that it sleeps on before it looks at the port. */
  readonly ticketFirst: boolean;
}

export const RIGHT_PORT: PortProtocol = { unmaskLooks: true, ticketFirst: true };

type SenderStep = 'work' | 'set' | 'look' | 'upcall' | 'ended';

export interface PortState {
  /** Pieces of work that senders left, and those that the handler has seen to. */
  work: number;
  done: number;
  pending: boolean;
  masked: boolean;
  upcalls: number;
  ticket: number;
  senders: SenderStep[];
  waiter: 'ticket' | 'look' | 'mask' | 'clear' | 'lateTicket' | 'sleep';
  handler: 'idle' | 'serve' | 'unmask' | 'lookAgain' | 'upcall';
}

/** Some senders of one event each, then the waiter, then the handler. */
export function portModel(senders: number, protocol: PortProtocol): Model<PortState> {
  return {
    threads: senders + 2,
    initial: {
      work: 0,
      done: 0,
      pending: false,
      masked: false,
      upcalls: 0,
      ticket: 0,
      senders: new Array<SenderStep>(senders).fill('work'),
      waiter: protocol.ticketFirst ? 'ticket' : 'look',
      handler: 'idle',
    },
    step(before, thread) {
      const state = { ...before, senders: [...before.senders] };
      if (thread < senders) return send(state, thread) ? state : undefined;
      const moved = thread === senders ? wait(state, protocol) : handle(state, protocol);
      return moved ? state : undefined;
    },
    key: (state) => JSON.stringify(state),
  };
}

/** Whether there is work that nobody will see to. */
export function isForgotten(state: PortState): boolean {
  return state.done < state.work;
}

function send(state: PortState, n: number): boolean {
  switch (state.senders[n]) {
    case 'work':
      state.work++;
      state.senders[n] = 'set';
      return true;
    case 'set':
      state.senders[n] = state.pending ? 'ended' : 'look';
      state.pending = true;
      return true;
    case 'look':
      state.senders[n] = state.masked ? 'ended' : 'upcall';
      return true;
    case 'upcall':
      state.upcalls++;
      state.senders[n] = 'ended';
      return true;
    case 'ended':
      return false;
  }
}

function wait(state: PortState, { ticketFirst }: PortProtocol): boolean {
  const again = ticketFirst ? 'ticket' : 'look';
  switch (state.waiter) {
    case 'ticket':
      state.ticket = state.upcalls;
      state.waiter = 'look';
      return true;
    case 'look':
      if (state.pending && !state.masked) state.waiter = 'mask';
      else state.waiter = ticketFirst ? 'sleep' : 'lateTicket';
      return true;
    case 'lateTicket':
      state.ticket = state.upcalls;
      state.waiter = 'sleep';
      return true;
    case 'mask':
      state.masked = true;
      state.waiter = 'clear';
      return true;
    case 'clear':
      state.pending = false;
      state.handler = 'serve';
      state.waiter = again;
      return true;
    case 'sleep':
      if (state.upcalls === state.ticket) return false;
      state.waiter = again;
      return true;
  }
}

function handle(state: PortState, { unmaskLooks }: PortProtocol): boolean {
  switch (state.handler) {
    case 'idle':
      return false;
    case 'serve':
      state.done = state.work;
      state.handler = 'unmask';
      return true;
    case 'unmask':
      state.masked = false;
      state.handler = unmaskLooks ? 'lookAgain' : 'idle';
      return true;
    case 'lookAgain':
      state.handler = state.pending ? 'upcall' : 'idle';
      return true;
    case 'upcall':
      state.upcalls++;
      state.handler = 'idle';
      return true;
  }
}
