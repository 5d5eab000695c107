/**
 * The inline protocol of `engine.ts` and `uar.ts` as small steps, one access to shared memory each.
 *
 * Poster n owns queue n and UAR n, whose mark is bit n of mark word n % 2. A queue is two counts: WQEs posted, WQEs executed.
 */
import type { Model } from '@openverbs/machine/testing';

/** What a wrong implementation would do differently. */
export interface Protocol {
  /** Looks at the marks once more after unlocking. */
  readonly rechecks: boolean;
  /** Sets the word of marks before its bit in the summary. */
  readonly wordFirst: boolean;
  /** Tries the lock once more after leaving a doorbell. */
  readonly triesAgain: boolean;
  /** The summary is taken before the words. */
  readonly takesSummaryFirst: boolean;
  /** Gives the lock away once in the middle of its own queue. */
  readonly lends: boolean;
  /** Doorbells that a UAR page holds. */
  readonly pageCapacity: number;
}

export const RIGHT: Protocol = {
  rechecks: true,
  wordFirst: true,
  triesAgain: true,
  takesSummaryFirst: true,
  lends: false,
  pageCapacity: 2,
};

/** Where a thread is. */
type At =
  | 'post'
  | 'tryLock'
  | 'runOwn'
  | 'lend'
  | 'takeBack'
  | 'readPage'
  | 'lockToEmpty'
  | 'writePage'
  | 'markWord'
  | 'markSummary'
  | 'tryLockAgain'
  | 'takeSummary'
  | 'takeWord'
  | 'readDoorbells'
  | 'takeDoorbell'
  | 'serve'
  | 'unlock'
  | 'recheck'
  | 'tryRelock'
  | 'ended';

interface Poster {
  at: At;
  postsLeft: number;
  /** Where it goes on after it has unlocked. */
  then: 'post' | 'readPage';
  lent: boolean;
  /** The summary and the marks that it has taken and not yet served. */
  summary: number;
  marks: number;
  /** The page being drained, and the doorbells in it that it has seen. */
  uar: number;
  doorbells: number;
}

export interface State {
  /** Thread that holds the lock, or -1. */
  lock: number;
  summary: number;
  words: number[];
  written: number[];
  taken: number[];
  posted: number[];
  executed: number[];
  posters: Poster[];
}

/** So many posters, each of which posts so many times. */
export function doorbellModel(posters: number, posts: number, protocol: Protocol): Model<State> {
  const zeros = (): number[] => new Array<number>(posters).fill(0);
  const poster: Poster = {
    at: 'post',
    postsLeft: posts,
    then: 'post',
    lent: false,
    summary: 0,
    marks: 0,
    uar: -1,
    doorbells: 0,
  };
  return {
    threads: posters,
    initial: {
      lock: -1,
      summary: 0,
      words: [0, 0],
      written: zeros(),
      taken: zeros(),
      posted: zeros(),
      executed: zeros(),
      posters: Array.from({ length: posters }, () => ({ ...poster })),
    },
    step(before, thread) {
      const state = copy(before);
      return take(state, thread, protocol) ? state : undefined;
    },
    key,
  };
}

/** Whether something is left that nobody will do. */
export function isForgotten(state: State): boolean {
  return state.posted.some((posted, n) => state.executed[n] !== posted || state.written[n] !== state.taken[n]);
}

/** One step; false when the thread can't. */
function take(state: State, thread: number, protocol: Protocol): boolean {
  const me = state.posters[thread];
  switch (me.at) {
    case 'post':
      if (me.postsLeft === 0) me.at = 'ended';
      else {
        me.postsLeft--;
        me.lent = false;
        state.posted[thread]++;
        me.at = 'tryLock';
      }
      return true;
    case 'tryLock':
      me.then = 'post';
      me.at = tryLock(state, thread) ? 'runOwn' : 'readPage';
      return true;
    case 'runOwn':
      if (protocol.lends && !me.lent) me.at = 'lend';
      else {
        state.executed[thread] = state.posted[thread];
        me.at = 'unlock';
      }
      return true;
    case 'lend':
      state.lock = -1;
      me.lent = true;
      me.at = 'takeBack';
      return true;
    case 'takeBack':
      if (!tryLock(state, thread)) return false;
      me.at = 'runOwn';
      return true;
    default:
      return leaveDoorbell(state, thread, protocol) || serveOthers(state, thread, protocol);
  }
}

function leaveDoorbell(state: State, thread: number, protocol: Protocol): boolean {
  const me = state.posters[thread];
  const mark = { word: thread % 2, bit: 1 << thread };
  switch (me.at) {
    case 'readPage':
      me.at = state.written[thread] - state.taken[thread] < protocol.pageCapacity ? 'writePage' : 'lockToEmpty';
      return true;
    case 'lockToEmpty':
      if (!tryLock(state, thread)) return false;
      me.then = 'readPage';
      me.at = 'takeSummary';
      return true;
    case 'writePage':
      state.written[thread]++;
      me.at = protocol.wordFirst ? 'markWord' : 'markSummary';
      return true;
    case 'markWord':
      state.words[mark.word] |= mark.bit;
      me.at = protocol.wordFirst ? 'markSummary' : 'tryLockAgain';
      return true;
    case 'markSummary':
      state.summary |= 1 << mark.word;
      me.at = protocol.wordFirst ? 'tryLockAgain' : 'markWord';
      return true;
    case 'tryLockAgain':
      me.then = 'post';
      me.at = protocol.triesAgain && tryLock(state, thread) ? 'takeSummary' : 'post';
      return true;
    default:
      return false;
  }
}

/** With the lock: all marks, then unlock. */
function serveOthers(state: State, thread: number, protocol: Protocol): boolean {
  const me = state.posters[thread];
  switch (me.at) {
    case 'takeSummary':
      me.summary = state.summary;
      if (protocol.takesSummaryFirst) state.summary = 0;
      me.at = me.summary === 0 ? 'unlock' : 'takeWord';
      return true;
    case 'takeWord': {
      const word = (me.summary & 1) !== 0 ? 0 : 1;
      me.summary &= me.summary - 1;
      me.marks = state.words[word];
      state.words[word] = 0;
      nextPage(me);
      return true;
    }
    case 'readDoorbells':
      me.doorbells = state.written[me.uar] - state.taken[me.uar];
      if (me.doorbells === 0) nextPage(me);
      else me.at = 'takeDoorbell';
      return true;
    case 'takeDoorbell':
      state.taken[me.uar]++;
      me.doorbells--;
      me.at = 'serve';
      return true;
    case 'serve':
      state.executed[me.uar] = state.posted[me.uar];
      if (me.doorbells > 0) me.at = 'takeDoorbell';
      else nextPage(me);
      return true;
    case 'unlock':
      if (!protocol.takesSummaryFirst) state.summary = 0;
      state.lock = -1;
      me.at = protocol.rechecks ? 'recheck' : me.then;
      return true;
    case 'recheck':
      me.at = state.summary === 0 ? me.then : 'tryRelock';
      return true;
    case 'tryRelock':
      me.at = tryLock(state, thread) ? 'takeSummary' : me.then;
      return true;
    default:
      return false;
  }
}

/** From one marked page to the next. */
function nextPage(me: Poster): void {
  me.doorbells = 0;
  if (me.marks === 0) {
    me.uar = -1;
    me.at = me.summary === 0 ? 'unlock' : 'takeWord';
    return;
  }
  me.uar = 31 - Math.clz32(me.marks & -me.marks);
  me.marks &= me.marks - 1;
  me.at = 'readDoorbells';
}

function tryLock(state: State, thread: number): boolean {
  if (state.lock !== -1) return false;
  state.lock = thread;
  return true;
}

function copy(state: State): State {
  return {
    lock: state.lock,
    summary: state.summary,
    words: state.words.slice(),
    written: state.written.slice(),
    taken: state.taken.slice(),
    posted: state.posted.slice(),
    executed: state.executed.slice(),
    posters: state.posters.map((poster) => ({ ...poster })),
  };
}

/** A character a number; all are small. */
function key({ lock, summary, words, written, taken, posted, executed, posters }: State): string {
  let text = String.fromCharCode(lock + 1, summary, ...words, ...written, ...taken, ...posted, ...executed);
  for (const { at, postsLeft, then, lent, summary: mine, marks, uar, doorbells } of posters) {
    text += at + then + String.fromCharCode(postsLeft, lent ? 1 : 0, mine, marks, uar + 1, doorbells);
  }
  return text;
}
