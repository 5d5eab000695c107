import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ConformanceReport } from '@openverbs/conformance';
import { formatReport } from '../src/conformance/format.ts';
import { openverbsCommand } from '../src/openverbs-command.ts';
import { run } from './run.ts';

const conformance = (line: string) => run((io) => openverbsCommand(io), `conformance ${line}`);

const REPORT: ConformanceReport = {
  name: 'acme0 of provider acme',
  passed: ['cq › polls', 'cq › arms'],
  failed: [],
  deviating: [],
  excluded: [],
  notSelected: [],
  capabilities: [{ name: 'rc', claimed: true, tests: ['cq › polls'], refusal: null }],
  suites: ['cq'],
};

describe('openverbs conformance', () => {
  let directory: string;
  before(() => void (directory = mkdtempSync(join(tmpdir(), 'openverbs-'))));
  after(() => {
    rmSync(directory, { recursive: true });
  });

  /** A file for `--deviations`. */
  function fileOf(text: string): string {
    const path = join(directory, 'deviations.json');
    writeFileSync(path, text);
    return path;
  }

  it('runs the suites that are asked for, in each placement', async () => {
    const { status, out, err } = await conformance('--suite pd');
    expect([status, err]).to.deep.equal([0, '']);
    for (const placement of ['inline', 'thread']) {
      expect(out).to.contain(`emulated0 of provider emulated, ${placement}\n  suite `);
    }
    expect(out).to.match(/\n {2}pd +\d+ +· +· +·\n/);
    expect(out).to.match(
      /\n\nNot claimed by the manifest, and so refused when it is used\n(?: {2}\w+ +refused {2}.*\n)+/,
    );
    expect(out).to.match(/\n\nNothing failed; that it conforms is said only when all suites ran\.\n$/);
  });

  it('--json', async () => {
    const { status, out } = await conformance('--suite pd --json');
    expect(status).to.equal(0);
    const { conforms, reports } = JSON.parse(out) as { conforms: boolean; reports: ConformanceReport[] };
    expect([conforms, reports.length]).to.deep.equal([false, 3]);
    expect(reports[0]).to.have.all.keys(Object.keys(REPORT));
  });

  it('--deviations: one that passes unexpectedly fails', async () => {
    const path = fileOf('{ "pd › is deallocated once": "it was broken once" }');
    const { status, out } = await conformance(`--suite pd --deviations ${path}`);
    expect(status).to.equal(1);
    expect(out).to.contain(
      'FAIL pd › is deallocated once\n     passes, but is listed as a deviation: it was broken once',
    );
    expect(out).to.match(/emulated, inline does not conform\.\n/);
  });

  for (const text of ['{', '[]', 'null', '{ "pd › is deallocated once": "" }', '{ "pd › is deallocated once": 1 }']) {
    it(`--deviations refuses ${text}`, async () => {
      const { status, out, err } = await conformance(`--suite pd --deviations ${fileOf(text)}`);
      expect([status, out]).to.deep.equal([2, '']);
      expect(err).to.match(/deviations\.json.*\nhint: it holds a JSON object: \{"suite › test": "reason"\}\n$/);
    });
  }

  it('--deviations names a file that is not there', async () => {
    const { status, err } = await conformance('--suite pd --deviations /does/not/exist.json');
    expect(status).to.equal(1);
    expect(err).to.contain('/does/not/exist.json');
  });

  it('refuses a suite that is not there: that says nothing about the provider', async () => {
    const { status, out, err } = await conformance('--suite pd qd');
    expect([status, out]).to.deep.equal([2, '']);
    expect(err).to.match(/^openverbs conformance: no such suite: qd\nhint: suites are device, context, pd, .*\n$/);
  });

  it('says it when all is well', () => {
    expect(formatReport(REPORT).split('\n')).to.deep.equal([
      'acme0 of provider acme',
      '  suite  passed  failed  deviating  left out',
      '  cq          2       ·          ·         ·',
      '  all         2       0          0         0',
      '',
      'acme0 of provider acme conforms.',
      '',
    ]);
  });

  it('says what is not', () => {
    const report: ConformanceReport = {
      ...REPORT,
      failed: [
        { key: 'mr › ends', failure: 'it does not' },
        { key: 'absent › nullMr is refused', failure: 'it is not' },
      ],
      deviating: [{ key: 'qp › starts', reason: 'the firmware is old', failure: 'it does not' }],
      excluded: [
        { key: 'xrc › one', capability: 'xrc' },
        { key: 'xrc › two', capability: 'xrc' },
        { key: 'srq › one', capability: 'srq' },
      ],
      capabilities: [
        ...REPORT.capabilities,
        { name: 'xrc', claimed: false, tests: ['xrc › one', 'xrc › two'], refusal: 'xrc › xrc is refused' },
        { name: 'nullMr', claimed: false, tests: [], refusal: 'absent › nullMr is refused' },
      ],
      suites: ['cq', 'mr', 'qp', 'xrc', 'srq', 'absent'],
    };
    expect(formatReport(report).split('\n')).to.deep.equal([
      'acme0 of provider acme',
      '  suite   passed  failed  deviating  left out',
      '  cq           2       ·          ·         ·',
      '  mr           ·       1          ·         ·',
      '  qp           ·       ·          1         ·',
      '  xrc          ·       ·          ·         2  for lack of xrc',
      '  srq          ·       ·          ·         1  for lack of srq',
      '  absent       ·       1          ·         ·',
      '  all          2       2          1         3',
      '',
      'Not claimed by the manifest, and so refused when it is used',
      '  xrc     refused      extended reliable connected QPs, domains and SRQs',
      '  nullMr  NOT REFUSED  ibv_alloc_null_mr',
      '',
      'FAIL mr › ends',
      '     it does not',
      '',
      'FAIL absent › nullMr is refused',
      '     it is not',
      '',
      'deviates: qp › starts',
      '     the firmware is old',
      '     (it does not)',
      '',
      'acme0 of provider acme does not conform.',
      '',
    ]);
  });
});
