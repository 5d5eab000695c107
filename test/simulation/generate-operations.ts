/** The operations of a connection, drawn at random. */
import { WrOpcode } from 'openverbs';
import type { Draw } from './draw.ts';
import { operates } from './operations.ts';
import type { ConnectionPlan, Mistake, Operation, Side, SrqPlan, Step } from './program.ts';
import { lengthOf } from './program.ts';

/** Of a message, and packets of one: a longer one says no more, and is sent again and again when packets are lost. */
const BYTES_MAX = 65536;
const PACKETS_MAX = 48;
const SHARED_BYTES_MAX = 4096;
export const INLINE_BYTES_MAX = 64;
const OPERATIONS_MAX = 26;
const COUNTERS = 3;

const { RDMA_WRITE, RDMA_WRITE_WITH_IMM, SEND, SEND_WITH_IMM, RDMA_READ } = WrOpcode;
const { ATOMIC_CMP_AND_SWP, ATOMIC_FETCH_AND_ADD, ATOMIC_WRITE, FLUSH } = WrOpcode;
const { BIND_MW, LOCAL_INV, SEND_WITH_INV } = WrOpcode;

const MESSAGES = [
  ...[RDMA_WRITE, RDMA_WRITE, RDMA_WRITE, RDMA_WRITE_WITH_IMM, RDMA_WRITE_WITH_IMM],
  ...[SEND, SEND, SEND, SEND_WITH_IMM, SEND_WITH_IMM],
];
const RELIABLE = [...MESSAGES, RDMA_READ, RDMA_READ, RDMA_READ, ATOMIC_CMP_AND_SWP, ATOMIC_FETCH_AND_ADD];
/** What each transport can do, each as often as it stands here. */
const OPCODES = {
  RC: [...RELIABLE, ATOMIC_WRITE, FLUSH],
  UC: MESSAGES,
  XRC: [...RELIABLE, ATOMIC_WRITE, FLUSH],
} as const;

const REMOTE: readonly Mistake[] = ['rkey', 'range', 'access'];
/** What can be wrong with what. */
const MISTAKES: Readonly<Partial<Record<number, readonly Mistake[]>>> = {
  [RDMA_WRITE]: [...REMOTE, 'lkey'],
  [RDMA_WRITE_WITH_IMM]: [...REMOTE, 'lkey'],
  [SEND]: ['lkey', 'short', 'recvKey'],
  [SEND_WITH_IMM]: ['lkey', 'short', 'recvKey'],
  [RDMA_READ]: [...REMOTE, 'lkey'],
  [ATOMIC_CMP_AND_SWP]: [...REMOTE, 'lkey', 'unaligned'],
  [ATOMIC_FETCH_AND_ADD]: [...REMOTE, 'lkey', 'unaligned'],
  [ATOMIC_WRITE]: [...REMOTE, 'lkey', 'unaligned'],
  [FLUSH]: REMOTE,
};
/** Those of receives: each shared one may be anybody's. */
const OF_RECEIVES: readonly Mistake[] = ['short', 'recvKey'];

/** All steps of a connection, round after round. */
export function drawRounds(draw: Draw, plan: ConnectionPlan, connection: number, srqs: readonly SrqPlan[]): Step[] {
  const steps: Step[] = [];
  const rounds = draw.between(1, 3);
  for (let round = 0; round < rounds; round++) {
    const first = steps.length;
    const count = draw.between(1, OPERATIONS_MAX);
    while (steps.length < first + count) drawPost(draw, plan, connection, round, steps);
    if (plan.transport === 'XRC') nameQueues(draw, plan, steps, first, srqs);
    if (plan.transport === 'RC' && draw.chance(0.3)) showWindow(draw, plan, steps, first);
    if (plan.paths === true && draw.chance(0.7)) {
      const side = draw.below(2) as Side;
      const at = first + draw.below(steps.length - first + 1);
      steps.splice(at, 0, { do: 'migrate', connection, round, side, waitNs: draw.waitNs() });
    }
    if (draw.chance(0.2)) drain(draw, plan, connection, round, steps, first);
    if (!draw.chance(0.35)) continue;
    const at = first + draw.below(count);
    const { [at]: step } = steps;
    const isPlain = step.do === 'post' && MISTAKES[step.opcode] !== undefined;
    if (plan.transport !== 'UC' && isPlain && draw.chance(0.7)) steps[at] = spoil(draw, step, plan);
    else {
      const side = draw.below(2) as Side;
      // Destroyed, it would keep what it has taken from the shared queue, and nobody could tell which.
      const isShared = plan.ends[side].srq !== undefined || (plan.transport === 'XRC' && side === 1);
      const how = isShared || draw.chance(0.5) ? 'error' : 'destroy';
      steps.splice(at, 0, { do: how, connection, round, side, waitNs: draw.waitNs() });
    }
  }
  return steps;
}

/** One operation, or several that are posted in one call. */
function drawPost(draw: Draw, plan: ConnectionPlan, connection: number, round: number, steps: Step[]): void {
  const first = { ...drawOperation(draw, plan, connection, round), ...(draw.chance(0.25) && { extended: true }) };
  steps.push(first);
  if (!draw.chance(0.15)) return;
  for (let n = draw.between(1, 5); n > 0; n--) {
    const operation = drawOperation(draw, plan, connection, round, first.side);
    steps.push({ ...operation, waitNs: 0, chained: true });
  }
}

function drawOperation(
  draw: Draw,
  plan: ConnectionPlan,
  connection: number,
  round: number,
  side = sender(draw, plan),
): Operation {
  const end = plan.ends[side];
  const opcode = draw.pick(OPCODES[plan.transport]);
  const { isWord, takesReceive, moves } = operates(opcode);
  const mtu = 128 << plan.mtu;
  const { maxSge, srq } = plan.ends[1 - side];
  const isShared = takesReceive && (srq !== undefined || plan.transport === 'XRC');
  const most = isShared ? SHARED_BYTES_MAX : Math.min(BYTES_MAX, mtu * PACKETS_MAX);
  const length = isWord ? 8 : draw.length(mtu, most);
  const isSend = moves === 'toReceive';
  const room = isSend ? length + (draw.chance(0.5) ? draw.below(100) : 0) : 0;
  return {
    do: 'post',
    connection,
    round,
    side,
    waitNs: draw.waitNs(),
    opcode,
    pieces: isWord || moves === 'none' ? [length] : draw.split(length, end.maxSge),
    inline: (isSend || moves === 'toAddress') && length <= end.maxInlineData && draw.chance(0.6),
    signaled: draw.chance(0.6),
    fence: draw.chance(0.15),
    solicited: draw.chance(0.3),
    imm: draw.word(),
    again: plan.transport !== 'UC' && draw.chance(0.3) ? draw.between(1, 4) : 0,
    counter: draw.below(COUNTERS),
    operand: `${draw.word().toString(16)}${draw.word().toString(16).padStart(8, '0')}`,
    receive: takesReceive
      ? { pieces: draw.split(room, maxSge), lateNs: draw.chance(0.6) ? -1 : draw.below(200_000) }
      : null,
    mistake: null,
  };
}

/** Who does something with a send queue: either end, but of XRC the first one. */
function sender(draw: Draw, { transport }: ConnectionPlan): Side {
  const side = draw.below(2) as Side;
  return transport === 'XRC' ? 0 : side;
}

/** XRC: each operation names one of the SRQs of the peer's device, those without a receive as well: its keys are of that one's PD. */
function nameQueues(
  draw: Draw,
  { ends }: ConnectionPlan,
  steps: Step[],
  first: number,
  srqs: readonly SrqPlan[],
): void {
  const { device } = ends[1];
  const named = srqs.flatMap((plan, index) => (plan.device === device && plan.cq !== undefined ? [index] : []));
  for (let n = first; n < steps.length; n++) steps[n] = { ...(steps[n] as Operation), srq: draw.pick(named) };
}

/**
 * One end shows a window, the other one goes through it, and one of the two invalidates it; perhaps the first one shows it again, or the
 * other one uses it once more, which is a mistake.
 */
function showWindow(draw: Draw, plan: ConnectionPlan, steps: Step[], first: number): void {
  const owner = draw.below(2) as Side;
  const user = (1 - owner) as Side;
  const { connection, round } = steps[first] as Operation;
  const local = (opcode: WrOpcode): Operation => {
    const operation = drawOperation(draw, plan, connection, round, owner);
    const plain = { pieces: [], inline: false, receive: null, again: 0 };
    return { ...operation, ...plain, opcode, signaled: true };
  };
  const begin = first + draw.below(steps.length - first);
  const end = begin + 1 + draw.below(steps.length - begin);
  steps.splice(begin, 0, local(BIND_MW));
  goThrough(draw, steps, begin, end, user);
  if (draw.chance(0.5)) steps.splice(end, 0, local(LOCAL_INV));
  else steps.splice(end, 0, drawSend(draw, plan, connection, round, user));
  if (draw.chance(0.5)) {
    const again = end + 1 + draw.below(steps.length - end);
    steps.splice(again, 0, local(BIND_MW));
    goThrough(draw, steps, again, steps.length, user);
  } else if (draw.chance(0.3)) {
    const at = steps.findIndex((step, n) => n > end && isThrough(step, user));
    if (at >= 0) steps[at] = { ...spoil(draw, steps[at] as Operation, plan), mistake: 'window' };
  }
}

/** SEND_WITH_INV. */
function drawSend(draw: Draw, plan: ConnectionPlan, connection: number, round: number, side: Side): Operation {
  for (;;) {
    const operation = drawOperation(draw, plan, connection, round, side);
    if (operation.opcode === SEND) return { ...operation, opcode: SEND_WITH_INV };
  }
}

/** Has writes and reads go through the window, most of them. */
function goThrough(draw: Draw, steps: Step[], begin: number, end: number, user: Side): void {
  for (let n = begin; n < end; n++) {
    if (isThrough(steps[n], user) && draw.chance(0.7)) steps[n] = { ...(steps[n] as Operation), window: true };
  }
}

function isThrough(step: Step, user: Side): boolean {
  if (step.do !== 'post' || step.side !== user || step.mistake !== null) return false;
  const { moves } = operates(step.opcode);
  return moves === 'toAddress' || moves === 'fromAddress';
}

/** Drains the send queue of an end, in between. */
function drain(
  draw: Draw,
  plan: ConnectionPlan,
  connection: number,
  round: number,
  steps: Step[],
  first: number,
): void {
  const at = first + draw.below(steps.length - first + 1);
  const side = sender(draw, plan);
  const lastsNs = draw.chance(0.5) ? 0 : draw.below(2_000_000);
  steps.splice(at, 0, { do: 'drain', connection, round, side, waitNs: draw.waitNs(), lastsNs });
}

/** Gives an operation a mistake. Empty messages have none to make: their keys are not looked at. */
function spoil(draw: Draw, operation: Operation, plan: ConnectionPlan): Operation {
  const { opcode, receive } = operation;
  const peer = plan.ends[1 - operation.side];
  const isXrc = plan.transport === 'XRC';
  const mistakes: readonly Mistake[] = [...MISTAKES[opcode]!, ...(isXrc ? (['srqn'] as const) : [])];
  const isShared = isXrc || peer.srq !== undefined;
  const mistake = draw.pick(isShared ? mistakes.filter((name) => !OF_RECEIVES.includes(name)) : mistakes);
  const isEmpty = lengthOf(operation.pieces) === 0;
  const pieces = isEmpty ? [INLINE_BYTES_MAX] : operation.pieces;
  const inline = operation.inline && !isEmpty && mistake !== 'lkey';
  const spoiled = { ...operation, mistake, pieces, inline, again: 0 };
  if (receive === null || operates(opcode).moves !== 'toReceive') return spoiled;
  const length = lengthOf(pieces);
  const room = mistake === 'short' ? draw.below(length) : length;
  return { ...spoiled, receive: { ...receive, pieces: draw.split(room, peer.maxSge) } };
}
