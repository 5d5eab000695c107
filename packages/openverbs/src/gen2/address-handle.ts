/** Address handles and multicast, by their C names. */
import type {
  AddressHandle,
  AhAttrInit,
  Context,
  Gid,
  ProtectionDomain,
  QueuePair,
  WorkCompletion,
} from '@openverbs/verbs';

import { aContext, aProtectionDomain, aQp, anAh } from './first-argument.ts';
import { filled } from './out-parameter.ts';
import type { Out } from './out-parameter.ts';

/** Creates an address handle, the way to a peer of datagrams. */
export function ibv_create_ah(pd: ProtectionDomain, attr: AhAttrInit): AddressHandle {
  return aProtectionDomain('ibv_create_ah', pd).createAh(attr);
}

/**
 * Fills `ah_attr` with the way back to the sender of a datagram. `grh` are the first 40 bytes of its receive.
 *
 * @throws VerbsError EINVAL if these are no header, or the datagram did not go to a GID of the port.
 */
export function ibv_init_ah_from_wc(
  context: Context,
  port_num: number,
  wc: WorkCompletion,
  grh: Uint8Array,
  ah_attr: Out<AhAttrInit> = {},
): AhAttrInit {
  return filled(ah_attr, aContext('ibv_init_ah_from_wc', context).initAhFromWc(port_num, wc, grh));
}

/**
 * Creates an address handle that leads back to the sender of a datagram.
 *
 * @throws VerbsError EINVAL as {@link ibv_init_ah_from_wc}.
 */
export function ibv_create_ah_from_wc(
  pd: ProtectionDomain,
  wc: WorkCompletion,
  grh: Uint8Array,
  port_num: number,
): AddressHandle {
  return aProtectionDomain('ibv_create_ah_from_wc', pd).createAhFromWc(wc, grh, port_num);
}

/** Destroys an address handle. */
export function ibv_destroy_ah(ah: AddressHandle): void {
  anAh('ibv_destroy_ah', ah).destroy();
}

/** Has a UD queue pair receive what is sent to a multicast group; `lid` is in host order, 0 on Ethernet. */
export function ibv_attach_mcast(qp: QueuePair, gid: Gid, lid: number): void {
  aQp('ibv_attach_mcast', qp).attachMcast(gid, lid);
}

/** Ends what {@link ibv_attach_mcast} began. */
export function ibv_detach_mcast(qp: QueuePair, gid: Gid, lid: number): void {
  aQp('ibv_detach_mcast', qp).detachMcast(gid, lid);
}
