/** Makes a failing program smaller, as long as it fails in the same way. */
import type { ConnectionPlan, Operation, Program, Step, Weather } from './program.ts';
import { lengthOf } from './program.ts';
import { simulate } from './simulate.ts';
import type { Failure } from './simulate.ts';

/** How long it may take. */
const TIME_MS_MAX = 60_000;
const CALM: Weather = { drop: 0, duplicate: 0, reorder: 0, corrupt: 0, delay: 0, badNs: 1e6, goodNs: 1e6 };

/** The smallest program that was found to fail likewise, and how. `run` runs one. */
export function minimize(
  program: Program,
  failure: Failure,
  run: (candidate: Program) => { readonly failure: Failure | null } = simulate,
): { readonly program: Program; readonly failure: Failure } {
  const endMs = performance.now() + TIME_MS_MAX;
  let best = { program, failure };
  /** Takes a candidate over if it fails likewise. */
  const accept = (candidate: Program): boolean => {
    if (performance.now() > endMs) return false;
    const found = run(candidate).failure;
    if (found?.kind !== failure.kind) return false;
    best = { program: candidate, failure: found };
    return true;
  };
  for (let before = Infinity; sizeOf(best.program) < before && performance.now() < endMs;) {
    before = sizeOf(best.program);
    dropSteps(() => best.program, accept);
    calmWeather(best.program, accept);
    simplifySteps(() => best.program, accept);
    simplifyConnections(() => best.program, accept);
  }
  accept(withoutIdle(best.program));
  return best;
}

/** Without the connections that do nothing; the others get new numbers. */
function withoutIdle(program: Program): Program {
  const used = new Set(program.steps.flatMap((step) => ('connection' in step ? [step.connection] : [])));
  const kept = program.connections.map((_, index) => index).filter((index) => used.has(index));
  const steps = program.steps.map((step) =>
    'connection' in step ? { ...step, connection: kept.indexOf(step.connection) } : step,
  );
  return { ...program, steps, connections: kept.map((index) => program.connections[index]) };
}

/** Drops runs of steps, long ones first. */
function dropSteps(best: () => Program, accept: (candidate: Program) => boolean): void {
  for (let run = Math.ceil(best().steps.length / 2); run >= 1; run = Math.floor(run / 2)) {
    for (let at = 0; at < best().steps.length;) {
      const steps = best().steps.filter((_, index) => index < at || index >= at + run);
      if (!accept({ ...best(), steps })) at += run;
    }
  }
}

/** Turns faults off, one after the other. */
function calmWeather(program: Program, accept: (candidate: Program) => boolean): void {
  let { weather } = program;
  for (const fault of ['drop', 'duplicate', 'reorder', 'corrupt', 'delay'] as const) {
    if (weather[fault] === 0) continue;
    const calmer = { ...weather, [fault]: CALM[fault] };
    if (accept({ ...program, weather: calmer })) weather = calmer;
  }
  const { steady, ...changing } = weather;
  if (steady === true) accept({ ...program, weather: changing });
}

/** Makes what is left plain. */
function simplifySteps(best: () => Program, accept: (candidate: Program) => boolean): void {
  for (let index = 0; index < best().steps.length; index++) {
    for (const change of simplerSteps(best().steps[index])) {
      const steps = best().steps.map((step, n) => (n === index ? changed(step, change) : step));
      accept({ ...best(), steps });
    }
  }
}

/** A change of a step; `undefined` leaves something out. */
type Change = { readonly [Field in keyof Operation]?: Operation[Field] | undefined };

function changed(step: Step, change: Change): Step {
  const fields = Object.entries({ ...step, ...change }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields) as unknown as Step;
}

/** What can be changed of a step. */
function simplerSteps(step: Step): Change[] {
  const changes: Change[] = step.waitNs === 0 ? [] : [{ waitNs: 0 }];
  if (step.do !== 'post' && step.do !== 'datagram') return changes;
  if (step.inline) changes.push({ inline: false });
  if (step.solicited) changes.push({ solicited: false });
  if (step.extended === true) changes.push({ extended: undefined });
  if (step.pieces.length > 1) changes.push({ pieces: [lengthOf(step.pieces)] });
  if (step.do !== 'post') return changes;
  const { receive } = step;
  if (step.window === true) changes.push({ window: undefined });
  if (step.fence) changes.push({ fence: false });
  if (step.again !== 0) changes.push({ again: 0 });
  if (step.chained === true) changes.push({ chained: undefined });
  if (receive !== null && receive.lateNs > 0) changes.push({ receive: { ...receive, lateNs: -1 } });
  return changes;
}

function simplifyConnections(best: () => Program, accept: (candidate: Program) => boolean): void {
  best().connections.forEach((_, index) => {
    const simple: ((plan: ConnectionPlan) => ConnectionPlan)[] = [
      (plan) => ({ ...plan, renews: false }),
      (plan) => ({ ...plan, rnrRetry: 7, retryCnt: 7 }),
      ({ registers: _, ...plan }) => plan,
      ({ pkeys: _, ...plan }) => plan,
      ({ paths: _, ...plan }) => plan,
    ];
    for (const simplify of simple) {
      const changed = simplify(best().connections[index]);
      if (JSON.stringify(changed) === JSON.stringify(best().connections[index])) continue;
      accept({ ...best(), connections: best().connections.map((other, n) => (n === index ? changed : other)) });
    }
  });
}

/** Something that every simplification makes smaller. */
function sizeOf({ steps, weather }: Program): number {
  const faults = [weather.drop, weather.duplicate, weather.reorder, weather.corrupt, weather.delay];
  return steps.length * 1000 + JSON.stringify(steps).length + faults.filter((fault) => fault !== 0).length;
}
