import { readFileSync, readdirSync } from 'node:fs';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { runExample, spawnExample } from './run-example.ts';
import { scratchDirectory } from './scratch-directory.ts';

const file = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('examples', () => {
  const path = scratchDirectory();

  it('first', async () => {
    expect(await runExample('first')).to.deep.equal({
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
    const { status, out, err } = await runExample('rc-pingpong', ['64', '200']);
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(
      /^emulated0: 200 exchanges of 64 bytes\n( {2}QPN \d+, PSN \d+, GID [\da-f:]{39}\n){2}\d+\.\d\d s, \d+\.\d\d us an exchange\n$/,
    );
  });

  for (const args of [['0'], ['many'], ['64', '-1'], ['1.5']]) {
    it(`rc-pingpong refuses ${args.join(' ')}`, async () => {
      const { status, out, err } = await runExample('rc-pingpong', args);
      expect([status, out]).to.deep.equal([2, '']);
      expect(err).to.match(/^Usage: /);
    });
  }

  it('events', async () => {
    const { status, out, err } = await runExample('events');
    expect([status, err]).to.deep.equal([0, '']);
    expect(out.split('\n').sort()).to.deep.equal(['', '3 sent', 'received one', 'received three', 'received two']);
  });

  it('datagrams', async () => {
    expect(await runExample('datagrams')).to.deep.equal({
      status: 0,
      out: 'hello from client 0, answered\nhello from client 1, answered\n',
      err: '',
    });
  });

  it('two-threads', async () => {
    const { status, out, err } = await runExample('two-threads');
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(/^5000 round trips between two threads, \d+\.\d\d us each\n$/);
  });

  it('start', async () => {
    const { status, out, err } = await runExample('start');
    expect([status, err]).to.deep.equal([0, '']);
    expect(out).to.match(/^Devices\n {2}emulated0 +provider emulated +port 1 active +Ethernet +MTU \d+\n\n/);
    expect(out).to.match(/\nCopy of \S+ by RDMA WRITE\n {2}[\d.]+ MB in \d+\.\d\d s, [\d.]+ [kMG]B\/s, \d+ writes\n/);
    expect(out).to.match(/\n {2}sha256 match [\da-f]{64}\n/);
    expect(out).to.match(/\n +1048576 B +\d+ +[\d.]+ us +[\d.]+ [MG]B\/s\n/);
    expect(out).to.match(/\nTry next\n/);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`start leaves no file behind when ${signal} ends it`, async () => {
      const child = spawnExample('start', [], { env: { ...process.env, TMPDIR: path() } });
      const err = text(child.stderr);
      for await (const chunk of child.stdout) if (String(chunk).includes('Copy of')) child.kill(signal);
      expect(await err).to.equal('npm start: interrupted\n');
      expect(readdirSync(path())).to.deep.equal([]);
    });
  }
});
