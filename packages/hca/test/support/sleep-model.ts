/**
 * How the engine thread of `serve.ts` falls asleep, and how a poster wakes it, as small steps.
 *
 * Time is left out: the engine's sleep has a bound, which would hide a lost wake-up behind a delay.
 */
import type { Model } from '@openverbs/machine/testing';

export interface SleepProtocol {
  /** Looks at the marks once more after saying that it sleeps. */
  readonly rechecks: boolean;
  /** Reads the word that it will wait on before it says that it sleeps. */
  readonly ticketFirst: boolean;
  /** The poster leaves its mark before it looks whether the engine sleeps. */
  readonly marksFirst: boolean;
}

export const RIGHT_SLEEP: SleepProtocol = { rechecks: true, ticketFirst: true, marksFirst: true };

export interface SleepState {
  mark: boolean;
  stop: boolean;
  asleep: boolean;
  wake: number;
  ticket: number;
  engine: 'look' | 'serve' | 'ticket' | 'sayAsleep' | 'recheck' | 'lateTicket' | 'wait' | 'waiting' | 'awake' | 'ended';
  posters: ('mark' | 'look' | 'addWake' | 'notify' | 'ended')[];
}

/** The engine is thread 0; so many posters follow, and the last thread asks the engine to stop when `stops`. */
export function sleepModel(posters: number, stops: boolean, protocol: SleepProtocol): Model<SleepState> {
  const threads = posters + (stops ? 1 : 0);
  return {
    threads: threads + 1,
    initial: {
      mark: false,
      stop: false,
      asleep: false,
      wake: 0,
      ticket: 0,
      engine: 'look',
      posters: new Array<SleepState['posters'][number]>(threads).fill(protocol.marksFirst ? 'mark' : 'look'),
    },
    step(before, thread) {
      const state = { ...before, posters: [...before.posters] };
      const moved = thread === 0 ? engineStep(state, protocol) : posterStep(state, thread - 1, posters, protocol);
      return moved ? state : undefined;
    },
    key: (state) => JSON.stringify(state),
  };
}

/** Whether the engine sleeps beside work, or beside the wish that it end. */
export function isOverslept(state: SleepState): boolean {
  return state.engine === 'waiting' && (state.mark || state.stop);
}

function engineStep(state: SleepState, protocol: SleepProtocol): boolean {
  switch (state.engine) {
    case 'look':
      if (state.stop) state.engine = 'ended';
      else if (state.mark) state.engine = 'serve';
      else state.engine = protocol.ticketFirst ? 'ticket' : 'sayAsleep';
      return true;
    case 'serve':
      state.mark = false;
      state.engine = 'look';
      return true;
    case 'ticket':
      state.ticket = state.wake;
      state.engine = 'sayAsleep';
      return true;
    case 'sayAsleep':
      state.asleep = true;
      if (protocol.rechecks) state.engine = 'recheck';
      else state.engine = protocol.ticketFirst ? 'wait' : 'lateTicket';
      return true;
    case 'recheck':
      if (state.mark || state.stop) state.engine = 'awake';
      else state.engine = protocol.ticketFirst ? 'wait' : 'lateTicket';
      return true;
    case 'lateTicket':
      state.ticket = state.wake;
      state.engine = 'wait';
      return true;
    case 'wait':
      state.engine = state.wake === state.ticket ? 'waiting' : 'awake';
      return true;
    case 'awake':
      state.asleep = false;
      state.engine = 'look';
      return true;
    case 'waiting': // until a poster notifies
    case 'ended':
      return false;
  }
}

function posterStep(state: SleepState, n: number, posters: number, protocol: SleepProtocol): boolean {
  const at = state.posters[n];
  const leaveMark = (): void => {
    if (n < posters) state.mark = true;
    else state.stop = true;
  };
  switch (at) {
    case 'mark':
      leaveMark();
      state.posters[n] = protocol.marksFirst ? 'look' : 'ended';
      return true;
    case 'look':
      if (state.asleep) state.posters[n] = 'addWake';
      else state.posters[n] = protocol.marksFirst ? 'ended' : 'mark';
      return true;
    case 'addWake':
      state.wake++;
      state.posters[n] = 'notify';
      return true;
    case 'notify':
      if (state.engine === 'waiting') state.engine = 'awake';
      state.posters[n] = protocol.marksFirst ? 'ended' : 'mark';
      return true;
    case 'ended':
      return false;
  }
}
