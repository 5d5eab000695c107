import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { toolsVersion } from '../src/cli/options.ts';
import { devinfoCommand } from '../src/devinfo/command.ts';
import { openverbsCommand } from '../src/openverbs-command.ts';
import { rcPingpongCommand } from '../src/pingpong/rc-pingpong.ts';
import { run } from './run.ts';

const devinfo = (line?: string) => run((io) => devinfoCommand('ibv_devinfo', io), line);
const openverbs = (line?: string) => run((io) => openverbsCommand(io), line);
/** Has Node name each file that it loads. */
const NAMING_HOOK = `import { writeSync } from 'node:fs';
export function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;
const data = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
const NAMING = data(`import { register } from 'node:module'; register(${JSON.stringify(data(NAMING_HOOK))});`);
const pingpong = (line?: string) => run((io) => rcPingpongCommand('ibv_rc_pingpong', io), line);

describe('command lines', () => {
  it('--help has examples and ends well', async () => {
    const { status, out, err } = await devinfo('--help');
    expect(out).to.match(/^Usage: ibv_devinfo \[options\]\n[^]*--ib-dev[^]*\nExamples:\n {2}ibv_devinfo +all devices/);
    expect([status, err]).to.deep.equal([0, '']);
  });

  it('examples of a subcommand name it as it is called', async () => {
    expect((await openverbs('devinfo --help')).out).to.match(/\n {2}openverbs devinfo -v -d emulated0 /);
  });

  it('every page of help fits a terminal, that of all commands one of 80 columns', async () => {
    const commands = openverbsCommand().commands.map((command) => command.name());
    expect(commands).to.include.members(['doctor', 'xentop', 'xsrq-pingpong']);
    for (const name of ['', ...commands]) {
      const { out } = await openverbs(`${name} --help`.trim());
      const widest = Math.max(...out.split('\n').map(({ length }) => length));
      expect(widest, `openverbs ${name} --help`).to.be.at.most(name === '' ? 80 : 100);
    }
  });

  it('--version is the version of the package', async () => {
    expect(await openverbs('--version')).to.deep.equal({ status: 0, out: `${toolsVersion()}\n`, err: '' });
    expect((await openverbs('devinfo --version')).out).to.equal(`${toolsVersion()}\n`);
  });

  const usageErrors: [typeof devinfo, string, RegExp][] = [
    [devinfo, '--ib-dve emulated0', /^ibv_devinfo: unknown option '--ib-dve'\n\(Did you mean --ib-dev\?\)\n/],
    [devinfo, '-i 0', /^ibv_devinfo: option '-i, --ib-port <port>' argument '0' is invalid. .* from 1 to 255\.\n/],
    [devinfo, '-i two', /^ibv_devinfo: .*'two' is invalid/],
    [devinfo, '-d', /^ibv_devinfo: .*argument missing/],
    [devinfo, 'emulated0', /^ibv_devinfo: too many arguments/],
    [openverbs, 'devinfo -i 0', /^openverbs devinfo: option /],
    [openverbs, 'docter', /^openverbs: unknown command 'docter'\n\(Did you mean doctor\?\)\n/],
    [pingpong, '', /^ibv_rc_pingpong: only --self.* is there for now/],
    [pingpong, 'peer.example', /^ibv_rc_pingpong: only --self/],
    [pingpong, '--self peer.example', /^ibv_rc_pingpong: only --self/],
    [pingpong, '--self --threads 3', /'3' is invalid. It must be one of 1, 2\.\n/],
    [pingpong, '--self -m 1000', /It must be one of 256, 512, 1024, 2048, 4096\.\n/],
    [pingpong, '--self -s -1', /'-1' is invalid/],
    [pingpong, '--self -n 1e3', /'1e3' is invalid/],
    [pingpong, '--self -l 16', /from 0 to 15/],
  ];
  for (const [tool, line, message] of usageErrors) {
    it(`refuses '${line}' with status 2 and a hint`, async () => {
      const { status, out, err } = await tool(line);
      expect([status, out]).to.deep.equal([2, '']);
      expect(err)
        .to.match(message)
        .and.match(/^hint: .+$/m);
      expect(err).not.to.include('    at ');
    });
  }

  it('help loads neither the devices nor the conformance suites', () => {
    const bin = fileURLToPath(new URL('../../bin/openverbs.js', import.meta.url));
    const loaded = execFileSync(process.execPath, ['--import', NAMING, bin, '--help'], { encoding: 'utf8' });
    expect(loaded).to.include('tools/dist/src/devices/command.js').and.include('Usage: openverbs');
    for (const part of ['openverbs/dist', 'conformance/dist', 'hca/dist', 'provider-'])
      expect(loaded).not.to.include(part);
  });

  it('openverbs alone shows its help', async () => {
    const { status, err } = await openverbs();
    expect(status).to.equal(2);
    expect(err).to.match(/^Usage: openverbs/);
  });
});
