/** Tests of examples, for `npm test` and for those that take longer. */
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { atOnce, runExample, spawnExample } from './run-example.ts';

/** Arguments that rc-pingpong refuses. */
export function describeWrongArguments(wrong: readonly (readonly string[])[]): void {
  describe('rc-pingpong', () => {
    const runs = atOnce(() => wrong.map((args) => runExample('rc-pingpong', args)));
    wrong.forEach((args, index) => {
      it(`refuses ${args.join(' ')}`, async () => {
        const { status, out, err } = await runs(index);
        expect([status, out]).to.deep.equal([2, '']);
        expect(err).to.match(/^Usage: /);
      });
    });
  });
}

/** kernel-client on the devices of these providers. */
export function describeKernelClient(providers: readonly (readonly [provider: string, device: string])[]): void {
  describe('kernel-client', () => {
    const runs = atOnce(() =>
      providers.map(([provider]) => runExample('kernel-client', ['100'], undefined, { OPENVERBS_PROVIDER: provider })),
    );
    providers.forEach(([provider, device], index) => {
      it(`on ${provider}`, async () => {
        const { status, out, err } = await runs(index);
        expect([status, err]).to.deep.equal([0, '']);
        const [played, removed] = out.split('\n');
        expect(played).to.match(/^\S+: 100 exchanges, \d+\.\d\d us each$/);
        expect([played.split(':')[0], removed]).to.deep.equal([device, `${device}: removed`]);
      });
    });
  });
}

/** start, ended by a signal, with `path` for its files. */
export function itLeavesNothingBehind(signal: 'SIGINT' | 'SIGTERM', path: () => string): void {
  it(`start leaves no file behind when ${signal} ends it`, async () => {
    const child = spawnExample('start', [], { env: { ...process.env, TMPDIR: path() } });
    const err = text(child.stderr);
    for await (const chunk of child.stdout) if (String(chunk).includes('Copy of')) child.kill(signal);
    expect(await err).to.equal('npm start: interrupted\n');
    expect(readdirSync(path())).to.deep.equal([]);
  });
}
