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
};

describe('openverbs conformance', () => {
  it('runs the suites that are asked for', async () => {
    const { status, out, err } = await conformance('--suite pd');
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(
      /^emulated0 of provider emulated\n +\d+ {2}passed\n +0 {2}failed\n\nSuites that were not asked for: /,
    );
    expect(out).to.match(/\n\nNothing failed; that it conforms is said only when all suites ran\.\n$/);
  });

  it('--json', async () => {
    const { status, out } = await conformance('--suite pd --json');
    expect(status).to.equal(0);
    expect(JSON.parse(out)).to.include.keys('name', 'passed', 'failed', 'deviating', 'excluded', 'notSelected');
  });

  it('refuses a suite that is not there: that says nothing about the provider', async () => {
    const { status, out, err } = await conformance('--suite pd qd');
    expect([status, out]).to.deep.equal([2, '']);
    expect(err).to.match(/^openverbs conformance: no such suite: qd\nhint: suites are device, context, pd, .*\n$/);
  });

  it('says it when all is well', () => {
    expect(formatReport(REPORT)).to.equal('acme0 of provider acme\n  2  passed\n  0  failed\n\nIt conforms.\n');
  });

  it('says what is not', () => {
    const report: ConformanceReport = {
      ...REPORT,
      failed: [{ key: 'mr › ends', failure: 'it does not' }],
      deviating: [{ key: 'qp › starts', reason: 'the firmware is old', failure: 'it does not' }],
      excluded: [
        { key: 'xrc › one', capability: 'xrc' },
        { key: 'xrc › two', capability: 'xrc' },
        { key: 'srq › one', capability: 'srq' },
      ],
    };
    expect(formatReport(report).split('\n')).to.deep.equal([
      'acme0 of provider acme',
      '  2  passed',
      '  1  failed',
      '  1  deviate, as listed',
      '  3  left out, as the device lacks xrc, srq',
      '',
      'FAIL mr › ends',
      '     it does not',
      '',
      'deviates: qp › starts',
      '     the firmware is old',
      '',
      'It does not conform.',
      '',
    ]);
  });
});
