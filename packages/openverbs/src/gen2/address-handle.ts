/** Address handles and multicast, by their C names. */
import type { AddressHandle, AhAttrInit, Gid, ProtectionDomain, QueuePair } from '@openverbs/verbs';

/** Creates an address handle, the way to a peer of datagrams. */
export function ibv_create_ah(pd: ProtectionDomain, attr: AhAttrInit): AddressHandle {
  return pd.createAh(attr);
}

/** Destroys an address handle. */
export function ibv_destroy_ah(ah: AddressHandle): void {
  ah.destroy();
}

/** Has a UD queue pair receive what is sent to a multicast group; `lid` is in host order, 0 on Ethernet. */
export function ibv_attach_mcast(qp: QueuePair, gid: Gid, lid: number): void {
  qp.attachMcast(gid, lid);
}

/** Ends what {@link ibv_attach_mcast} began. */
export function ibv_detach_mcast(qp: QueuePair, gid: Gid, lid: number): void {
  qp.detachMcast(gid, lid);
}
