/** `docs/tracing.md`, and what is traced. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect } from 'chai';
import { leftOutFeature, TRACED_VERBS } from 'openverbs';

import { isExported } from '../compatibility/render.ts';
import { VERB_GROUPS } from '../compatibility/verbs.ts';

/** Verbs that `openverbs:post` and `openverbs:poll` tell of, or that nothing tells of because they are the data path. */
const DATA_PATH = /^ibv_(post_|poll_cq$|start_poll$|next_poll$|end_poll$|wc_read_|wr_)/;
/** Functions that ask no device. */
const PLAIN =
  /(_str$|^ibv_rate_|^mult_to_|^mbps_to_|^ibv_(get_device_|free_device_list|fork_init|is_|inc_rkey|flow_label_|cq_ex_to_cq|qp_to_qp_ex|get_srq_num))/;
/** Verbs that are another one with other arguments, and are told as that. */
const ALIASES: Readonly<Record<string, string>> = {
  ibv_create_qp_ex: 'ibv_create_qp',
  ibv_create_srq_ex: 'ibv_create_srq',
  ibv_reg_buf_mr: 'ibv_reg_mr',
  ibv_reg_mr_ex: 'ibv_reg_mr',
  ibv_reg_mr_iova2: 'ibv_reg_mr_iova',
};

/** Programs of the page, in its order, and what each prints. */
const SNIPPETS: readonly (readonly [name: string, printed: RegExp])[] = [
  [
    'verbs',
    /^ibv_open_device on emulated0: done[^]*ibv_reg_mr on PD \d+: done[^]*ibv_close_device on context of emulated0: done/,
  ],
  ['packets', /^emulated0\/1 sent IP6 .*RC_SEND_ONLY[^]*\nemulated0\/1 received .*RC_ACKNOWLEDGE/],
  ['counters', /^{ retry_exceeded_err: 0, rcvd_rnr_err: 0 }\n$/],
];

const execute = promisify(execFile);

/** What the program prints. Fails unless the exit code is 0. */
function run(name: string): Promise<{ stdout: string; stderr: string }> {
  return execute(process.execPath, [fileURLToPath(new URL(`../snippets/tracing/${name}.js`, import.meta.url))]);
}

describe('tracing', () => {
  it('tells of every control verb that is there', () => {
    const names = VERB_GROUPS.flatMap(({ verbs }) => verbs.map(([name]) => name));
    const there = names.filter((name) => isExported(name) && leftOutFeature(name) === undefined);
    const control = there.filter((name) => !DATA_PATH.test(name) && !PLAIN.test(name));
    const forgotten = control.filter((name) => !TRACED_VERBS.includes(ALIASES[name] ?? name));
    expect(forgotten, 'packages/verbs/src/tracing/traced-verbs.ts has a table').to.deep.equal([]);
  });

  it('has the snippets in its page', () => {
    const page = readFileSync(new URL('../../tracing.md', import.meta.url), 'utf8');
    const blocks = Array.from(page.matchAll(/```ts\n([^]*?)```/g), ([, code]) => code);
    const sources = SNIPPETS.map(([name]) => {
      return readFileSync(new URL(`../../snippets/tracing/${name}.ts`, import.meta.url), 'utf8');
    });
    expect(blocks).to.deep.equal(sources);
  });

  describe('has a snippet that does what it says', () => {
    let runs: ReturnType<typeof run>[] = [];
    // At once: each is busy with its start for most of the time. The test that waits for one says how it failed.
    before(() => {
      runs = SNIPPETS.map(([name]) => run(name));
      for (const each of runs) each.catch(() => undefined);
    });
    after(() => Promise.allSettled(runs));

    SNIPPETS.forEach(([name, printed], index) => {
      it(name, async () => {
        const { stdout, stderr } = await runs[index];
        expect(stderr).to.equal('');
        expect(stdout).to.match(printed);
      }).timeout(60_000);
    });
  });
});
