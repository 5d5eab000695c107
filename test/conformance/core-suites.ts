/**
 * The suites that tell placements and providers apart: data moves, queues fill and move, events come, objects end in disorder. `npm test` runs
 * all suites inline, those that send anything over packets, and these elsewhere; `*.exhaustive.ts` runs all of them everywhere.
 */
export const CORE_SUITES: readonly string[] = [
  'async-events',
  'atomics',
  'channel',
  'cq-overrun',
  'cq-resize',
  'cq-room',
  'extended-cq',
  'flush',
  'inline',
  'invalidate',
  'lifetimes',
  'memory-window-2',
  'mr',
  'mr-rereg',
  'multicast',
  'physical-mr',
  'posting',
  'qp',
  'rdma-read',
  'rdma-write',
  'rnr',
  'send-recv',
  'sqd',
  'srq',
  'srq-events',
  'srq-resize',
  'ud',
  'ud-errors',
  'xrc',
  'xrc-objects',
];

/** What the device does by itself, wherever it is placed: of these, too, `npm test` runs none but inline, over packets and in basic. */
const DEVICE_ONLY: readonly string[] = ['invalidate', 'memory-window-2', 'mr-rereg', 'multicast', 'xrc', 'xrc-objects'];

/** The core suites that depend on who executes the device, and where. */
export const PLACEMENT_SUITES: readonly string[] = CORE_SUITES.filter((name) => !DEVICE_ONLY.includes(name));
