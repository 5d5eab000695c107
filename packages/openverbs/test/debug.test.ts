import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { VerbsError } from '@openverbs/verbs';
import { expect } from 'chai';

import { openVerbs } from '../src/index.ts';

const PROGRAM = fileURLToPath(new URL('./programs/debugged.js', import.meta.url));

const EVERYTHING = { OPENVERBS_DEBUG: 'verbs,posts,polls,events,packets,hca' };
const SPLIT_DRIVER = { OPENVERBS_PROVIDER: 'xen:basic', OPENVERBS_DEBUG: 'xen' };
/** Runs of the program, by what is set. */
const RUNS = {
  inline: { ...EVERYTHING, OPENVERBS_EMULATED_PLACEMENT: 'inline' },
  thread: { ...EVERYTHING, OPENVERBS_EMULATED_PLACEMENT: 'thread' },
  'xen, inline': { ...SPLIT_DRIVER, OPENVERBS_XEN_PLACEMENT: 'inline' },
  'xen, thread': { ...SPLIT_DRIVER, OPENVERBS_XEN_PLACEMENT: 'thread' },
  'no packets': { OPENVERBS_DEBUG: 'packets', OPENVERBS_EMULATED_PACKETS: 'false' },
  nothing: {},
};

/** As many programs at once, on a machine that may have other things to do. */
const TIMEOUT_MS = 60_000;

const execute = promisify(execFile);

/** What the program prints to stderr. Fails unless the exit code is 0. */
async function run(env: Record<string, string>): Promise<string> {
  const { stderr } = await execute(process.execPath, [PROGRAM], { env: { ...process.env, ...env } });
  return stderr;
}

describe('OPENVERBS_DEBUG', function () {
  this.timeout(TIMEOUT_MS);
  const printed = new Map<string, Promise<string>>();
  // At once: they start and sleep. The test that waits for one says how it failed.
  before(() => {
    for (const [name, env] of Object.entries(RUNS)) printed.set(name, run(env));
    for (const each of printed.values()) each.catch(() => undefined);
  });
  after(() => Promise.allSettled(printed.values()));

  for (const placement of ['inline', 'thread']) {
    it(`prints each topic in lines with time and device, with placement ${placement}`, async () => {
      const text = await printed.get(placement)!;
      const lines = text.trimEnd().split('\n');
      for (const line of lines)
        expect(line).to.match(/^\[\d+\.\d{6}\] emulated0 (verbs|posts|polls|events|packets|hca): /);
      for (const expected of [
        /verbs: ibv_open_device\(emulated0\) = context of emulated0, \d+\.\d us/,
        /verbs: ibv_create_cq\(context of emulated0, init: { cqe: 16 }\) = CQ \d+/,
        /verbs: ibv_create_cq\(context of emulated0, init: { cqe: 0 }\) failed: EINVAL, ibv_create_cq: cqe is 0/,
        /posts: QP \d+ send: wrId 7, RDMA_WRITE, SIGNALED, 8 bytes, rkey 0x[\da-f]+, remote address 0x/,
        /polls: CQ \d+: wrId 7, QP \d+, REM_ACCESS_ERR: /,
        /packets: port 1 sent IP6 .*RC_RDMA_WRITE_ONLY/,
        /packets: port 1 received IP6 .*NAK remote access error/,
        /hca: QP \d+ completion: REM_ACCESS_ERR: the peer refused rkey/,
        /hca: QP \d+ state: goes to ERR/,
        /events: QP \d+: /,
        /verbs: ibv_close_device\(context of emulated0\)/,
      ]) {
        expect(
          lines.some((line) => expected.test(line)),
          `${String(expected)} in\n${text}`,
        ).to.equal(true);
      }
    });
  }

  for (const placement of ['inline', 'thread']) {
    it(`prints the commands of the split driver at both ends, with its device domain ${placement}`, async () => {
      const text = await printed.get(`xen, ${placement}`)!;
      const lines = text.trimEnd().split('\n');
      for (const line of lines) {
        expect(line).to.match(/^\[\d+\.\d{6}\] domain 1 xen: (front|back)-end [A-Z_]+, request \d+, \d+\.\d us$/);
      }
      const requestsOf = (side: string): string[] =>
        lines.flatMap((line) => new RegExp(`xen: ${side} (POST_SEND, request \\d+)`).exec(line)?.[1] ?? []);
      expect(requestsOf('front-end')).to.have.lengthOf(1);
      expect(requestsOf('back-end')).to.deep.equal(requestsOf('front-end'));
    });
  }

  it('says so where there are no packets', async () => {
    expect(await printed.get('no packets')).to.match(
      /^\[\d+\.\d{6}\] emulated packets: there are none, .*OPENVERBS_EMULATED_PACKETS\), or set it to true\n$/,
    );
  });

  it('prints nothing when it is not set', async () => {
    expect(await printed.get('nothing')).to.equal('');
  });

  const wrong: [debug: unknown, message: RegExp][] = [
    ['verb', /no topic by 'verb'; did you mean 'verbs'/],
    [['hca', 'paket'], /no topic by 'paket'; did you mean 'packets'/],
    ['verbs,', /no topic by ''/],
    [true, /'debug' in the argument of openVerbs\(\) is no list of topics/],
  ];
  for (const [debug, message] of wrong) {
    it(`refuses ${JSON.stringify(debug)}`, () => {
      let caught: unknown;
      try {
        openVerbs({ debug: debug as string });
      } catch (error) {
        caught = error;
      }
      expect(VerbsError.is(caught)).to.equal(true);
      const error = caught as VerbsError;
      expect([error.code, error.message]).to.satisfy(
        ([code, text]: [string, string]) => code === 'EINVAL' && message.test(text),
      );
      expect(error.hint).to.include('verbs, posts, polls, events, packets, hca, xen');
    });
  }

  it('is a known key', () => {
    process.env['OPENVERBS_DEBGU'] = 'verbs';
    try {
      expect(() => openVerbs()).to.throw(VerbsError, /did you mean 'OPENVERBS_DEBUG'/);
    } finally {
      delete process.env['OPENVERBS_DEBGU'];
    }
  });
});
