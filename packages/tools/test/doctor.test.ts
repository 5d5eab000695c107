import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type FindingGroup, fine, wrong } from '../src/doctor/finding.ts';
import { formatFindings } from '../src/doctor/format.ts';
import { checkLimits } from '../src/doctor/limits.ts';
import { NODE_VERSIONS, checkRuntime, isSupported } from '../src/doctor/runtime.ts';
import { openverbsCommand } from '../src/openverbs-command.ts';
import { run } from './run.ts';

const doctor = (line = '') => run((io) => openverbsCommand(io), `doctor ${line}`);

describe('openverbs doctor', () => {
  it('finds nothing wrong here', async () => {
    const { status, out, err } = await doctor();
    expect(out).to.match(/^Node\.js\n {2}ok +version +\d+/);
    expect(out).to.match(/\nProvider emulated\n {2}ok +package +@openverbs\/provider-emulated loads\n/);
    expect(out).to.match(/\n {2}ok +emulated0 +RDMA WRITE of 4096 bytes arrived\n\nNothing is wrong\.\n$/);
    expect([status, err]).to.deep.equal([0, '']);
  });

  it('--json', async () => {
    const { out } = await doctor('--json --provider emulated');
    const { ok, groups } = JSON.parse(out) as { ok: boolean; groups: FindingGroup[] };
    expect(ok).to.equal(true);
    expect(groups.map(({ title }) => title)).to.deep.equal(['Node.js', 'Provider emulated', 'Limits', 'Devices']);
  });

  it('ends with 1 when the provider that was asked for does not load', async () => {
    const { status, out, err } = await doctor('--provider nothing-of-the-kind');
    expect([status, err]).to.deep.equal([1, '']);
    expect(out).to.match(/\n {2}FAIL +package +.*nothing-of-the-kind.*\n +cure: .+\n/);
    expect(out).to.match(/\nSomething is wrong; /);
  });

  const wrongSettings: [string, string, RegExp][] = [
    [
      'OPENVERBS_XEN_MODEE',
      'basic',
      /Provider xen\n.*\n {2}FAIL +settings +.*'OPENVERBS_XEN_MODEE' in the environment.*mode/,
    ],
    ['OPENVERBS_XEN_MODE', 'basics', /Provider xen\n.*\n {2}FAIL +settings +.*mode.*'OPENVERBS_XEN_MODE'/],
    ['OPENVERBS_EMULATDE_DEVICES', '2', /FAIL +settings +.*OPENVERBS_EMULATDE_DEVICES.*OPENVERBS_EMULATED_DEVICES/],
  ];
  for (const [name, value, found] of wrongSettings) {
    it(`ends with 1 for ${name}=${value}, which no provider that is opened may be asked about`, async () => {
      process.env[name] = value;
      try {
        const { status, out } = await doctor();
        expect(out).to.match(found);
        expect(status).to.equal(1);
      } finally {
        delete process.env[name];
      }
    });
  }

  it('prints the cure under what is wrong', () => {
    const groups = [
      { title: 'First', findings: [fine('one', 'well'), wrong('number two', 'ill', 'rest')] },
      { title: 'Empty', findings: [] },
      { title: 'Last', findings: [fine('three', 'well')] },
    ];
    expect(formatFindings(groups)).to.equal(
      [
        'First',
        '  ok    one         well',
        '  FAIL  number two  ill',
        '                    cure: rest',
        '',
        'Last',
        '  ok    three       well',
        '',
        'Something is wrong; the lines that begin with FAIL say what.',
        '',
      ].join('\n'),
    );
  });

  it('knows the versions of Node.js that package.json allows', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      engines: { node: string };
    };
    expect(NODE_VERSIONS).to.equal(manifest.engines.node);
    const versions = ['18.20.0', '20.18.9', '20.19.0', '21.7.0', '22.11.0', '22.12.0', '23.0.0', '24.1.0'];
    expect(versions.map(isSupported)).to.deep.equal([false, false, true, false, false, true, true, true]);
    expect(checkRuntime('18.20.0')[0]).to.include({ ok: false });
  });

  it('finds a limit on the address space', () => {
    const limits = (soft: string) =>
      `Limit  Soft Limit  Hard Limit  Units\nMax address space   ${soft}   unlimited   bytes\n`;
    expect(checkLimits(limits('unlimited'), 2)[0]).to.deep.equal(fine('address space', 'unlimited'));
    const [tooSmall] = checkLimits(limits('4294967296'), 2);
    expect(tooSmall.ok).to.equal(false);
    expect(tooSmall.cure).to.include('ulimit -v unlimited');
  });

  it('does without Linux’s file of limits', () => {
    expect(checkLimits(null, 1)).to.deep.equal([fine('processors', '1; two threads would take turns, which is slow')]);
  });
});
