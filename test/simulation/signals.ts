/** Which operations make completions. */
import { isLocal } from './operations.ts';
import type { Program } from './program.ts';

/** The steps that make completions: those that say so, the last of each direction, and enough for the send queue to have room. */
export function signaledSteps({ steps, connections, sockets = [] }: Program): Set<number> {
  const signaled = new Set<number>();
  const lanes = new Map<string, { last: number; silent: number }>();
  steps.forEach((step, index) => {
    if (step.do !== 'post' && step.do !== 'datagram') return;
    const isPost = step.do === 'post';
    const name = isPost ? `${step.connection} ${step.round} ${step.side}` : `socket ${step.socket}`;
    const { maxSendWr } = isPost ? connections[step.connection].ends[step.side] : sockets[step.socket];
    if (isPost && isLocal(step.opcode)) {
      // It waits for all that was posted before, at both ends.
      for (const side of [0, 1]) {
        const lane = lanes.get(`${step.connection} ${step.round} ${side}`);
        if (lane !== undefined) signaled.add(lane.last);
      }
      signaled.add(index);
    }
    const silent = (lanes.get(name)?.silent ?? 0) + 1;
    const signals = step.signaled || silent >= maxSendWr;
    if (signals) signaled.add(index);
    lanes.set(name, { last: index, silent: signals ? 0 : silent });
  });
  for (const { last } of lanes.values()) signaled.add(last);
  return signaled;
}
