/** From a seed to a program. */
import { Draw } from './draw.ts';
import { drawDatagrams, drawSockets } from './generate-datagrams.ts';
import { drawRounds, INLINE_BYTES_MAX } from './generate-operations.ts';
import { PKEYS } from './program.ts';
import type { ConnectionPlan, CqPlan, EndPlan, Program, SrqPlan, Step, Weather } from './program.ts';

/** Of packets, where the weather does not change. */
const LOSS_MAX = 0.1;

/** The program of a seed. */
export function generate(seed: number): Program {
  const draw = new Draw(seed);
  const devices = draw.between(1, 4);
  const packets = draw.chance(0.85);
  const timeout = draw.between(5, 9);
  const cqs = Array.from({ length: devices * 2 }, (_, n) => drawCq(draw, n % devices));
  const basic = Array.from({ length: devices }, (_, device) => drawSrq(draw, device));
  const connections = Array.from({ length: draw.between(1, 4) }, () => drawConnection(draw, devices, timeout));
  const srqs = [...basic, ...drawXrcSrqs(draw, devices, connections)];
  const lists = connections.map((plan, index) => drawRounds(draw, plan, index, srqs));
  const sockets = drawSockets(draw, devices);
  const steps = draw.merge<Step>(
    [...lists, drawDatagrams(draw, sockets)],
    (step) => step.do === 'post' && step.chained === true,
  );
  if (packets && devices > 1 && draw.chance(0.2)) {
    const lastsNs = draw.chance(0.5) ? timeoutNs(timeout) * 2 : timeoutNs(timeout) * 40;
    const cut = { do: 'cut', waitNs: 0, devices: [draw.below(devices)], lastsNs } as const;
    steps.splice(draw.below(steps.length + 1), 0, cut);
  }
  const weather = drawWeather(draw, timeout, packets);
  const isSteady = packets && draw.chance(0.15) && !steps.some((step) => step.do === 'cut');
  return {
    seed,
    devices,
    packets,
    weather: isSteady ? steady(draw, weather) : weather,
    cqs,
    srqs,
    connections,
    sockets,
    steps,
  };
}

/** `timeout` is the least of all connections. */
function drawWeather(draw: Draw, timeout: number, packets: boolean): Weather {
  const isCalm = !packets || draw.chance(0.15);
  const some = (most: number): number => (!isCalm && draw.chance(0.6) ? draw.below(most * 1000) / 1000 : 0);
  return {
    drop: some(0.1),
    duplicate: some(0.2),
    reorder: some(0.2),
    corrupt: some(0.1),
    delay: packets && draw.chance(0.5) ? draw.below(20) : 0,
    badNs: timeoutNs(timeout) * 3,
    goodNs: timeoutNs(timeout + 1) * 3 + 300_000,
  };
}

/** Loses up to one packet in ten all the time: each of the retries is lost with that chance, so seven of them are there for an answer. */
function steady(draw: Draw, weather: Weather): Weather {
  const drop = draw.between(1, LOSS_MAX * 1000) / 1000;
  return { ...weather, drop, corrupt: Math.min(weather.corrupt, LOSS_MAX - drop), steady: true };
}

function drawCq(draw: Draw, device: number): CqPlan {
  return { device, events: draw.pick(['none', 'none', 'next', 'solicited']) };
}

function drawSrq(draw: Draw, device: number): SrqPlan {
  const maxWr = draw.between(1, 32);
  return { device, maxWr, maxSge: draw.between(1, 3), ...(draw.chance(0.5) && { limit: draw.between(1, maxWr) }) };
}

/** One to three for each device that an XRC connection goes to. */
function drawXrcSrqs(draw: Draw, devices: number, connections: readonly ConnectionPlan[]): SrqPlan[] {
  const targets = connections.filter(({ transport }) => transport === 'XRC').map(({ ends }) => ends[1].device);
  return [...new Set(targets)].flatMap((device) =>
    Array.from({ length: draw.between(1, 3) }, () => ({
      ...drawSrq(draw, device),
      cq: device + devices * draw.below(2),
    })),
  );
}

function drawConnection(draw: Draw, devices: number, timeout: number): ConnectionPlan {
  const transport = draw.pick(['RC', 'RC', 'RC', 'UC', 'XRC'] as const);
  const ends = [drawEnd(draw, devices), drawEnd(draw, devices)] as const;
  return {
    transport,
    ends: transport === 'XRC' ? [withoutSrq(ends[0]), withoutSrq(ends[1])] : ends,
    mtu: draw.between(1, 5),
    timeout: timeout + draw.below(2),
    retryCnt: draw.pick([7, 7, 7, 6, 1]),
    rnrRetry: draw.pick([7, 7, 7, 7, 2]),
    minRnrTimer: draw.between(1, 12),
    renews: draw.chance(0.3),
    ...(draw.chance(0.3) && { registers: draw.pick(['anew', 'again'] as const) }),
    ...(transport === 'RC' && draw.chance(0.2) && { paths: true }),
    ...(draw.chance(0.1) && { pkeys: [draw.below(PKEYS.length), draw.below(PKEYS.length)] as const }),
  };
}

/** Operations name the SRQ. */
function withoutSrq({ srq: _, ...plan }: EndPlan): EndPlan {
  return plan;
}

function drawEnd(draw: Draw, devices: number): EndPlan {
  const device = draw.below(devices);
  const cq = (): number => device + devices * draw.below(2);
  return {
    device,
    sendCq: cq(),
    recvCq: cq(),
    psn: draw.chance(0.5) ? 0xffffff - draw.below(200) : draw.below(0x1000000),
    maxSendWr: draw.between(2, 32),
    maxRecvWr: draw.between(1, 32),
    maxSge: draw.between(1, 5),
    maxInlineData: draw.pick([0, INLINE_BYTES_MAX]),
    maxRdAtomic: draw.pick([1, 2, 4, 16]),
    sqSigAll: draw.chance(0.2),
    ...(draw.chance(0.2) && { srq: device }),
  };
}

/** IBTA 9.7.6.1.3. */
function timeoutNs(code: number): number {
  return 4096 * 2 ** code;
}
