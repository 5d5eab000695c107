/** Connects two queue pairs of one program. */
import type { QpAttrInit } from './attributes/qp.ts';
import { QpState, QpType } from './enums/qp.ts';
import { invalid } from './errors.ts';
import type { QpInitOptions } from './qp-endpoint.ts';
import type { QueuePair } from './queue-pair.ts';

/** What {@link connectPair} does otherwise than usual. */
export interface ConnectOverrides {
  /** Options of `qp.toInit`. */
  readonly init?: QpInitOptions;
  /** Attributes of the modify to RTR. */
  readonly rtr?: QpAttrInit;
  /** Attributes of the modify to RTS. */
  readonly rts?: QpAttrInit;
}

/**
 * Connects two queue pairs to each other: both go from RESET or INIT to RTS. Datagram QPs only become ready to send. `overrides`
 * are options of the way to INIT, which is skipped where a QP is there already, and attributes of the modify to RTR, which has none
 * for datagram QPs, and to RTS; for both. Throws EINVAL for QPs of different types, and what a modify throws.
 */
export function connectPair(a: QueuePair, b: QueuePair, overrides: ConnectOverrides = {}): void {
  if (a.qpType !== b.qpType) throw invalid('ibv_modify_qp', `${a.label} and ${b.label} are of different types`);
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
