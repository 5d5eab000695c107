/** Removes checks, one after the other in each of some processes. */
import { share } from '../mutations/share.ts';
import { type Area, areaOf, AREAS } from './areas.ts';
import { makeBrokenCopy } from './broken-copy.ts';
import type { NumberedCheck } from './instrument.ts';
import { Lane, type Verdict } from './lane.ts';
import type { Coverage } from './messages.ts';
import { Plan } from './plan.ts';
import { TestRunner } from './test-runner.ts';

/** Hears of each check that was tried. */
export type OnVerdict = (check: NumberedCheck, verdict: Verdict, seconds: number) => void;

/**
 * @param checks - all that there are
 * @param tried - those of them that are removed
 * @throws Error when tests fail although no check is missing
 */
export async function tryAll(
  checks: readonly NumberedCheck[],
  tried: readonly NumberedCheck[],
  processes: number,
  onVerdict: OnVerdict,
): Promise<void> {
  const copy = makeBrokenCopy(checks);
  try {
    for (const area of AREAS) {
      const own = tried.filter((check) => areaOf(check) === area);
      if (own.length > 0) await tryArea(copy.root, area, own, processes, onVerdict);
    }
  } finally {
    copy.remove();
  }
}

async function tryArea(
  root: string,
  area: Area,
  tried: readonly NumberedCheck[],
  processes: number,
  onVerdict: OnVerdict,
): Promise<void> {
  const lanes = Array.from({ length: processes }, () => new Lane(() => TestRunner.start(root, area.name)));
  try {
    const coverage: Coverage[] = [];
    await share(lanes, await lanes[0].suites(), async (lane, suite) => {
      coverage.push(...(await lane.cover(suite)));
    });
    const plan = new Plan(coverage);
    await share(lanes, tried, async (lane, check) => {
      const startedMs = performance.now();
      const verdict = await lane.judge(check, plan);
      onVerdict(check, verdict, (performance.now() - startedMs) / 1000);
    });
  } finally {
    for (const lane of lanes) lane.stop();
  }
}
