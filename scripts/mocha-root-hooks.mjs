// Fails a test that leaves something behind which keeps the process alive: a worker, a socket, a server, a timer, an open
// message port. The next test would run beside it, and the last one would never let the process end.
//
// What a suite makes in `before` is there before its tests start and counts for none of them; it has to be gone when all
// tests have run.

import { subscribe } from 'node:diagnostics_channel';
import process from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { config } from 'chai';
import fc from 'fast-check';
import Mocha from 'mocha';

// Chai's proxies find assertions that do not exist, which the compiler has found by now, and cost more than the assertions.
config.useProxy = false;

// The same programs in each run, so that what failed fails again, and no run fails by chance. OPENVERBS_TEST_SEED=random looks for new ones,
// and a number repeats one of these.
const SEED = process.env.OPENVERBS_TEST_SEED ?? '1';
if (/^-?\d+$/.test(SEED)) fc.configureGlobal({ seed: Number(SEED) });
else if (SEED !== 'random')
  throw new Error(`OPENVERBS_TEST_SEED is '${SEED}': it has to be a whole number, or 'random'`);

/**
 * Handles close within a few turns of the event loop, a worker within some milliseconds, and within seconds on a machine that is busy. Less for a
 * test that waits in vain.
 */
const GRACE_TURNS_MAX = 20;
const GRACE_MS_MAX = Number(process.env.OPENVERBS_TEST_GRACE_MS_MAX ?? 5000);
/** Work that is under way and ends by itself. */
const TRANSIENT = new Set(['Immediate', 'CloseReq', 'ShutdownWrap', 'WriteWrap', 'FSReqPromise', 'FSReqCallback']);
/** Where the reporter writes. */
const OWN = new Set(['TTYWrap']);

const unlisted = trackUnlisted();
const leaks = [];
let runner;
let before = new Map();
let atStart = new Map();

// A hook that throws would end the whole run, so the test is failed at the runner, which no hook is given.
const { run } = Mocha.Runner.prototype;
Mocha.Runner.prototype.run = function (...args) {
  runner = this;
  return run.apply(this, args);
};

export const mochaHooks = {
  async beforeAll() {
    await nextTurn();
    atStart = countResources();
  },

  async beforeEach() {
    await nextTurn();
    before = countResources();
  },

  async afterEach() {
    const left = await settle(before);
    if (left.length === 0) return;
    leaks.push(this.currentTest.fullTitle());
    fail(this.currentTest, new Error(`the test left behind: ${left.join(', ')}`));
  },

  async afterAll() {
    const left = await settle(atStart);
    if (left.length > 0 && leaks.length === 0) throw new Error(`a suite left behind: ${left.join(', ')}`);
  },
};

/** Waits until nothing is left that was not there `before`, or the grace is over. */
async function settle(before) {
  const deadline = performance.now() + GRACE_MS_MAX;
  let left = [];
  for (let turn = 0; turn < GRACE_TURNS_MAX || performance.now() < deadline; turn++) {
    await nextTurn();
    left = difference(before, countResources());
    if (left.length === 0) break;
  }
  return left;
}

/** What `after` has more than `before`, as "2 Timeout". */
export function difference(before, after) {
  const left = [];
  for (const [kind, count] of after) {
    const more = count - (before.get(kind) ?? 0);
    if (more > 0) left.push(`${more} ${kind}`);
  }
  return left;
}

function countResources() {
  const counts = new Map();
  const add = (kind) => counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const kind of process.getActiveResourcesInfo()) if (!TRANSIENT.has(kind) && !OWN.has(kind)) add(kind);
  for (const kind of unlisted.values()) add(kind);
  return counts;
}

/** Workers and UDP sockets that are unreferenced do not keep the process alive and are not listed, but they do run. */
function trackUnlisted() {
  const live = new Map();
  const track = (kind, object, end) => {
    live.set(object, kind);
    object.once(end, () => live.delete(object));
  };
  subscribe('worker_threads', ({ worker }) => track('Worker', worker, 'exit'));
  subscribe('udp.socket', ({ socket }) => track('UDP socket', socket, 'close'));
  return live;
}

/** The test has been reported as passed by now; it counts once, as failed. */
function fail(test, error) {
  if (test.state === 'passed' && runner.stats) runner.stats.passes--;
  if (test.state === 'failed') {
    test.err.message += `; and ${error.message}`;
    return;
  }
  runner.fail(test, error, true);
}
