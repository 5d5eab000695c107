import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ToolIo } from '../src/cli/io.ts';
import { rcPingpongCommand } from '../src/pingpong/rc-pingpong.ts';
import { run } from './run.ts';

interface TraceEvent {
  readonly ph: string;
  readonly pid: number;
  readonly name: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly args: Readonly<Record<string, unknown>>;
}

const pingpong = (line: string) => run((io: ToolIo) => rcPingpongCommand('ibv_rc_pingpong', io), line);

const LAYERS = ['application', 'front-end', 'ring', 'back-end', 'HCA'] as const;
/** Times are rounded to nanoseconds, begin and length each. */
const ROUNDING_US = 0.002;

/** The spans of each layer in the order in which they began, of a file that Perfetto takes. */
function spansByLayer(path: string): Record<(typeof LAYERS)[number], TraceEvent[]> {
  const { traceEvents } = JSON.parse(readFileSync(path, 'utf8')) as { readonly traceEvents: readonly TraceEvent[] };
  const layers = traceEvents.filter(({ ph, name }) => ph === 'M' && name === 'thread_name');
  expect(layers.map(({ tid, args }) => [tid, args['name']])).to.deep.equal([...LAYERS.entries()]);
  for (const { ph, pid, tid, name, ts, dur } of traceEvents) {
    expect(ph).to.be.oneOf(['M', 'X']);
    expect(name).to.be.a('string').and.not.equal('');
    expect(pid).to.equal(1);
    expect(tid).to.be.oneOf([...LAYERS.keys()]);
    if (ph === 'X')
      expect(
        [ts, dur].every((us) => Number.isFinite(us) && us >= 0),
        `${name}: ${ts}, ${dur}`,
      ).to.equal(true);
  }
  const spans = traceEvents.filter(({ ph }) => ph === 'X').sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  const ofLayer = (tid: number): TraceEvent[] => spans.filter((each) => each.tid === tid);
  for (const tid of LAYERS.keys()) expectNested(ofLayer(tid));
  return Object.fromEntries(LAYERS.map((layer, tid) => [layer, ofLayer(tid)])) as ReturnType<typeof spansByLayer>;
}

const endOf = ({ ts, dur }: TraceEvent): number => ts + dur;

/** The spans of a row lie in each other or apart, or it can't be drawn. */
function expectNested(row: readonly TraceEvent[]): void {
  for (const [n, first] of row.entries()) {
    for (const second of row.slice(n + 1)) {
      const apart = second.ts >= endOf(first) - ROUNDING_US;
      expect(apart || endOf(second) <= endOf(first) + ROUNDING_US, `${first.name}, ${second.name}`).to.equal(true);
    }
  }
}

/** Each lies in the one before. */
function expectWithin(...spans: readonly TraceEvent[]): void {
  for (const [n, inner] of spans.slice(1).entries()) {
    const outer = spans[n];
    expect(inner.ts, `${inner.name} begins in ${outer.name}`).to.be.at.least(outer.ts - ROUNDING_US);
    expect(endOf(inner), `${inner.name} ends in ${outer.name}`).to.be.at.most(endOf(outer) + ROUNDING_US);
  }
}

/** Each begins when the one before has ended, or later. */
function expectInOrder(...spans: readonly TraceEvent[]): void {
  for (const [n, later] of spans.slice(1).entries()) {
    expect(later.ts, `${later.name} after ${spans[n].name}`).to.be.at.least(endOf(spans[n]) - ROUNDING_US);
  }
}

function names(spans: readonly TraceEvent[]): string[] {
  return spans.map(({ name }) => name);
}

/** Frames of a message of four packets, and of the acknowledgement; in an order that lets each arrive after it was sent. */
const FRAMES = [
  ...Array<string>(4).fill('sent frame'),
  ...Array<string>(4).fill('received frame'),
  'sent frame',
  'received frame',
];

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
    const { application, ring, ...layers } = spansByLayer(path);
    expect(names(application)).to.deep.equal(['ibv_post_send', 'ibv_poll_cq', 'ibv_poll_cq']);
    expect(names(layers['front-end'])).to.deep.equal(['POST_SEND', 'DRAIN_CQ', 'DRAIN_CQ']);
    const lower = ['POST_SEND', 'ibv_post_send', 'DRAIN_CQ', 'ibv_poll_cq', 'DRAIN_CQ', 'ibv_poll_cq'];
    expect(names(layers['back-end'])).to.deep.equal(lower);
    const commands = ['POST_SEND', 'DRAIN_CQ', 'DRAIN_CQ'];
    expect(names(ring)).to.deep.equal(commands.flatMap((command) => [`${command} request`, `${command} response`]));
    for (const [n, call] of application.entries()) {
      const [command, request, response] = [layers['front-end'][n], ring[2 * n], ring[2 * n + 1]];
      const [served, lowerCall] = layers['back-end'].slice(2 * n, 2 * n + 2);
      expectWithin(call, command, request);
      expectWithin(command, served, lowerCall);
      expectWithin(command, response);
      expectInOrder(request, served, response);
      expect(new Set([command, request, served, response].map(({ args }) => args['id'])).size, 'one request').to.equal(
        1,
      );
    }
    expectInOrder(...application);
    expect(names(layers.HCA)).to.deep.equal(FRAMES);
    for (const frame of layers.HCA) expectWithin(layers['back-end'][1], frame);
  });

  it('bypass: from the application to the HCA, and nothing between', async () => {
    const path = join(directory, 'bypass.json');
    const { status, err } = await pingpong(`--self -n 20 --provider xen:bypass --trace ${path}`);
    expect([status, err]).to.deep.equal([0, '']);
    const { application, HCA, ...between } = spansByLayer(path);
    expect(between).to.deep.equal({ 'front-end': [], ring: [], 'back-end': [] });
    expect(names(application)).to.deep.equal(['ibv_post_send', 'ibv_poll_cq', 'ibv_poll_cq']);
    expectInOrder(...application);
    expect(names(HCA)).to.deep.equal(FRAMES);
    for (const frame of HCA) expectWithin(application[0], frame);
  });

  it('is refused for two threads, and a file that can not be written is an error with a hint, before anything runs', async () => {
    expect(await pingpong('--self --threads 2 --trace x')).to.have.property('status', 2);
    for (const path of [join(directory, 'absent', 'x.json'), directory]) {
      const { status, out, err } = await pingpong(`--self -n 5 --trace ${path}`);
      expect([status, out]).to.deep.equal([1, '']);
      expect(err).to.match(/the trace can't be written.*\nhint: /s);
    }
  });

  it('leaves no empty file behind when the run fails', async () => {
    const path = join(directory, 'failed.json');
    expect(await pingpong(`--self -d absent --trace ${path}`)).to.have.property('status', 1);
    expect(existsSync(path)).to.equal(false);
  });
});
