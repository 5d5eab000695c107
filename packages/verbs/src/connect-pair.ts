/** Connects two queue pairs of one program. */
import type { QpAttrInit } from './attributes/qp.ts';
import { checkInstance } from './check.ts';
import { QpState, QpType } from './enums/qp.ts';
import { invalid } from './errors.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import type { QpInitOptions } from './qp-endpoint.ts';
import { QueuePair } from './queue-pair.ts';

/** What {@link connectPair} does otherwise than usual. */
export interface ConnectOverrides {
  /** Options of `qp.toInit`. */
  readonly init?: QpInitOptions;
  /** Attributes of the modify to RTR. */
  readonly rtr?: QpAttrInit;
  /** Attributes of the modify to RTS. */
  readonly rts?: QpAttrInit;
}

const OVERRIDES_KEYS = literalKeys<ConnectOverrides>({ init: true, rtr: true, rts: true });

/**
 * Connects two queue pairs to each other: both go from RESET or INIT to RTS. Datagram QPs only become ready to send. `overrides`
 * are options of the way to INIT, which is skipped where a QP is there already, and attributes of the modify to RTR, which has none
 * for datagram QPs, and to RTS; for both. Throws EINVAL for QPs of different types or of devices that can't reach each other, and what a modify throws.
 */
export function connectPair(a: QueuePair, b: QueuePair, overrides: ConnectOverrides = {}): void {
  for (const [what, qp] of Object.entries({ a, b })) checkInstance('connectPair', what, qp, QueuePair);
  checkLiteral('connectPair', 'overrides', overrides, OVERRIDES_KEYS);
  if (a.qpType !== b.qpType) throw invalid('ibv_modify_qp', `${a.label} and ${b.label} are of different types`);
  checkReach(a, b);
  // A queue pair that talks to itself is connected once.
  const sides = a === b ? [a] : [a, b];
  for (const qp of sides) if (qp.state === QpState.RESET) qp.toInit(overrides.init);
  const remotes = sides.map((_, index) => (index === 0 ? b : a).endpoint());
  const connected = a.qpType !== QpType.UD;
  sides.forEach((qp, index) => {
    qp.toRtr(remotes[index], connected ? overrides.rtr : {});
  });
  sides.forEach((qp, index) => {
    qp.toRts(remotes[index], overrides.rts);
  });
}

/** Both ends would be "connected": numbers and addresses of one device may be those of another that is not there for it. */
function checkReach(a: QueuePair, b: QueuePair): void {
  const [near, far] = [a.context.device, b.context.device];
  if (near.fabric === far.fabric) return;
  const message = `nothing carries messages between ${a.label} of ${near.name} and ${b.label} of ${far.name}: the devices belong to two machines`;
  const hint = 'take both devices of one openVerbs(), or of one that joins it: openVerbs({ machine })';
  throw invalid('ibv_modify_qp', message, hint, { fabrics: [near.fabric, far.fabric] });
}
