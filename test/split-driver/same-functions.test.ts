/**
 * Bypass is native: a guest that posts, polls and arms calls the functions that a program without a split driver calls, each of them as often, in the
 * user half of the driver and in the engine, and none of the split driver's own.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { CalledFunctions, Calls } from './called-functions.ts';
import { OPERATIONS } from './operations.ts';

const PROGRAM = fileURLToPath(new URL('./called-functions.js', import.meta.url));
const TIMEOUT_MS = 60_000;
const OF_THE_SPLIT_DRIVER = /^(provider-xen|hypervisor|cqe-poller)\//;
/** Inline data of a buffer is found by the program's address, and each domain has addresses of its own: this alone is of the split driver. */
const BUFFER = 'RDMA WRITE of inline data in a buffer';
const LOOK_UP_ADDRESS =
  /^(provider-xen\/.* |hca\/dist\/src\/driver\/buffer-table\.js )(machineAddress|inlineSource|contains|locate) at /;
/** That V8 counts these shows that it counts: what posts, what executes, what polls and what arms. */
const KNOWN = {
  SEND: [
    'verbs/dist/src/rings/ring-send-queue.js post',
    'hca/dist/src/driver/direct-doorbell.js ringSq',
    'hca/dist/src/engine.js ringSq',
    'hca/dist/src/requester.js run',
    'hca/dist/src/responder.js send',
    'verbs/dist/src/rings/ring-completion-queue.js poll',
  ],
  'arming a CQ, and the poll after it': [
    'verbs/dist/src/rings/ring-completion-queue.js reqNotify',
    'hca/dist/src/driver/direct-doorbell.js idle',
  ],
};

describe('the functions that a data path calls', function () {
  this.timeout(TIMEOUT_MS);
  let called: CalledFunctions;

  before(async () => {
    const { NODE_V8_COVERAGE: _, ...env } = process.env;
    const child = fork(PROGRAM, { env, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.once('message', (message) => {
      called = message as CalledFunctions;
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code, 'exit code of the program').to.equal(0);
  });

  for (const path of ['idd', 'bypass'] as const) {
    for (const { name, events = 0 } of OPERATIONS) {
      if (events > 0 || (name === BUFFER && path === 'bypass')) continue;
      it(`${path}, ${name}: those of the native one, each as often`, () => {
        expect(called[path][name]).to.deep.equal(called.native[name]);
      });
    }
  }

  it('bypass: only where a buffer lies is looked up in the guest’s own memory', () => {
    const others = (calls: Calls): Calls =>
      Object.fromEntries(Object.entries(calls).filter(([each]) => !LOOK_UP_ADDRESS.test(each)));
    expect(others(called.bypass[BUFFER])).to.deep.equal(others(called.native[BUFFER]));
    expect(Object.keys(others(called.native[BUFFER])).length).to.be.below(Object.keys(called.native[BUFFER]).length);
  });

  it('are none of the split driver natively and in bypass, and many in basic', () => {
    const ofSplitDriver = (calls: Calls): string[] =>
      Object.keys(calls).filter((each) => OF_THE_SPLIT_DRIVER.test(each));
    for (const [name, calls] of Object.entries(called.basic)) {
      expect(ofSplitDriver(calls).length, `basic, ${name}`).to.be.above(10);
      for (const path of ['native', 'idd', 'bypass'] as const) {
        if (name !== BUFFER) expect(ofSplitDriver(called[path][name]), `${path}, ${name}`).to.deep.equal([]);
      }
    }
  });

  it('are counted at each layer', () => {
    for (const [name, known] of Object.entries(KNOWN)) {
      const names = Object.keys(called.bypass[name]).map((each) => each.replace(/ at \d+$/, ''));
      expect(names, name).to.include.members(known);
    }
  });
});
