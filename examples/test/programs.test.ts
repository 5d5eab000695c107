import { readFileSync, statSync } from 'node:fs';
import { expect } from 'chai';
import { describeKernelClient, describeWrongArguments, itLeavesNothingBehind } from './programs.ts';
import { atOnce, runExample, TIMEOUT_MS } from './run-example.ts';
import { scratchDirectory } from './scratch-directory.ts';
import { describeUnchanged } from './unchanged.ts';

const file = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** More providers, arguments and signals are in programs.exhaustive.ts. */
describe('examples', function () {
  this.timeout(TIMEOUT_MS);
  const path = scratchDirectory();
  const single = {
    first: [],
    'rc-pingpong': ['64', '200'],
    events: [],
    'own-part': [],
    datagrams: [],
    guests: [],
  } as const;
  const names = Object.keys(single) as (keyof typeof single)[];
  const runs = atOnce(() => names.map((name) => runExample(name, single[name])));
  const runOf = (name: keyof typeof single): ReturnType<typeof runExample> => runs(names.indexOf(name));

  it('first', async () => {
    expect(await runOf('first')).to.deep.equal({
      status: 0,
      out: 'Written by RDMA, without the other side taking part.\n',
      err: '',
    });
  });

  it('first is what the README shows', () => {
    const [, snippet] = /```ts\n(.*?)```/s.exec(file('../README.md'))!;
    expect(snippet).to.equal(file('src/first.ts'));
  });

  it('rc-pingpong', async () => {
    const { status, out, err } = await runOf('rc-pingpong');
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(
      /^emulated0: 200 exchanges of 64 bytes\n( {2}QPN \d+, PSN \d+, GID [\da-f:]{39}\n){2}\d+\.\d\d s, \d+\.\d\d us an exchange\n$/,
    );
  });

  describeWrongArguments([['many']]);

  it('events', async () => {
    const { status, out, err } = await runOf('events');
    expect([status, err]).to.deep.equal([0, '']);
    expect(out.split('\n').sort()).to.deep.equal(['', '3 sent', 'received one', 'received three', 'received two']);
  });

  it('own-part', async () => {
    const { status, out, err } = await runOf('own-part');
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(/^16 completions by \d+ polls, \d+ of them without a trip\n$/);
  });

  it('datagrams', async () => {
    expect(await runOf('datagrams')).to.deep.equal({
      status: 0,
      out: 'hello from client 0, answered\nhello from client 1, answered\n',
      err: '',
    });
  });

  it('guests', async () => {
    const { status, out, err } = await runOf('guests');
    expect([status, err]).to.deep.equal([0, '']);
    const [web, db] = [
      /^web \(bypass\): (\d+) commands, 409600 bytes sent$/m,
      /^db \(basic\): (\d+) commands, 409600 bytes sent$/m,
    ].map((line) => Number(line.exec(out)?.[1]));
    expect(out).to.match(/^emulated0: around the HCA\nvib1\.0: around the HCA\nvib2\.0: around the HCA\n/);
    expect(db - web, 'posts and polls of a hundred writes').to.be.at.least(100);
  });

  describeKernelClient([['emulated', 'emulated0']]);

  it('two-threads', async () => {
    const { status, out, err } = await runExample('two-threads');
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(/^2000 round trips between two threads, \d+\.\d\d us each\n$/);
  });

  describeUnchanged('bypass', ['rc-pingpong']);

  it('start shows each path', async () => {
    const { status, out, err } = await runExample('start');
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(
      /^Devices\n {2}emulated +emulated0 +provider emulated +port 1 active +Ethernet +MTU \d+\n {2}xen:basic +vib1\.0 +provider xen /,
    );
    const [, source] = /\nCopy of (\S+) by RDMA WRITE/.exec(out)!;
    expect(statSync(source).size, source).to.be.at.least(80e6);
    expect(out).not.to.include('are little to tell a rate by');
    for (const path of ['emulated', 'xen:basic', 'xen:bypass']) {
      expect(out).to.match(new RegExp(`\\n  ${path} +[\\d.]+ MB, \\d+ writes, sha256 match [\\da-f]{64}\\n`));
    }
    expect(out).to.match(/\n +emulated +xen:basic +xen:bypass\n {2}rcopy( +[\d.]+ [kMG]B\/s){3}\n/);
    expect(out).to.match(/\n {2}ping-pong 8 B( +[\d.]+ us){3}\n/);
    expect(out).to.match(/\n {2}ping-pong 1048576 B( +[\d.]+ us){3}\n/);
    expect(out).to.match(/\nTry next\n/);
  });

  itLeavesNothingBehind('SIGINT', path);
});
