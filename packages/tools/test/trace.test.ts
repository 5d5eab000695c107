import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ToolIo } from '../src/cli/io.ts';
import { rcPingpongCommand } from '../src/pingpong/rc-pingpong.ts';
import { run } from './run.ts';

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly args: Readonly<Record<string, unknown>>;
}

const pingpong = (line: string) => run((io: ToolIo) => rcPingpongCommand('ibv_rc_pingpong', io), line);

/** What each layer shows, by its name. */
function namesByLayer(path: string): Record<string, string[]> {
  const { traceEvents } = JSON.parse(readFileSync(path, 'utf8')) as { readonly traceEvents: readonly TraceEvent[] };
  const layers = traceEvents.filter(({ name }) => name === 'thread_name');
  for (const { ts, dur } of traceEvents.filter(({ ph }) => ph === 'X')) {
    expect(ts).to.be.a('number');
    expect(dur).to.be.at.least(0);
  }
  return Object.fromEntries(
    layers.map(({ tid, args }) => [
      String(args['name']),
      traceEvents.filter((each) => each.ph === 'X' && each.tid === tid).map(({ name }) => name),
    ]),
  );
}

describe('--trace', function () {
  this.timeout(30_000);
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'openverbs-trace-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('basic: a message goes through every layer', async () => {
    const path = join(directory, 'basic.json');
    const { status, err } = await pingpong(`--self -n 20 --provider xen:basic --trace ${path}`);
    expect([status, err]).to.deep.equal([0, '']);
    const layers = namesByLayer(path);
    expect(layers['application']).to.include.members(['ibv_post_send', 'ibv_poll_cq']);
    expect(layers['front-end']).to.include.members(['POST_SEND', 'DRAIN_CQ']);
    expect(layers['ring']).to.include.members(['POST_SEND request', 'POST_SEND response', 'DRAIN_CQ request']);
    expect(layers['back-end']).to.include.members(['POST_SEND', 'ibv_post_send', 'DRAIN_CQ', 'ibv_poll_cq']);
    expect(layers['HCA']).to.include.members(['sent frame', 'received frame']);
  });

  it('bypass: from the application to the HCA, and nothing between', async () => {
    const path = join(directory, 'bypass.json');
    const { status, err } = await pingpong(`--self -n 20 --provider xen:bypass --trace ${path}`);
    expect([status, err]).to.deep.equal([0, '']);
    const layers = namesByLayer(path);
    expect(layers['application']).to.include.members(['ibv_post_send', 'ibv_poll_cq']);
    expect(layers['HCA']).to.include.members(['sent frame', 'received frame']);
    for (const layer of ['front-end', 'ring', 'back-end']) expect(layers[layer], layer).to.deep.equal([]);
  });

  it('is refused for two threads, and a file that can not be written is an error with a hint', async () => {
    expect(await pingpong('--self --threads 2 --trace x')).to.have.property('status', 2);
    const { status, err } = await pingpong(`--self -n 5 --trace ${join(directory, 'absent', 'x.json')}`);
    expect(status).to.equal(1);
    expect(err).to.match(/the trace can't be written.*\nhint: /s);
  });
});
