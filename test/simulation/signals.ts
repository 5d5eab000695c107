/** Which operations make completions. */
import type { Program } from './program.ts';

/** The steps that make completions: those that say so, the last of each direction, and enough for the send queue to have room. */
export function signaledSteps({ steps, connections }: Program): Set<number> {
  const signaled = new Set<number>();
  const lanes = new Map<string, { last: number; silent: number }>();
  steps.forEach((step, index) => {
    if (step.do !== 'post') return;
    const { connection, round, side } = step;
    const name = `${connection} ${round} ${side}`;
    const silent = (lanes.get(name)?.silent ?? 0) + 1;
    const signals = step.signaled || silent >= connections[connection].ends[side].maxSendWr;
    if (signals) signaled.add(index);
    lanes.set(name, { last: index, silent: signals ? 0 : silent });
  });
  for (const { last } of lanes.values()) signaled.add(last);
  return signaled;
}
