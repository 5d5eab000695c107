/** Address handles and multicast, by their C names of kernel level. */
import type {
  AddressHandle,
  AhAttr,
  AhAttrInit,
  Device,
  Gid,
  ProtectionDomain,
  QueuePair,
  WorkCompletion,
} from '@openverbs/verbs';

import { aDevice, anAh, aProtectionDomain, aQp } from '../gen2/first-argument.ts';
import { filled } from '../gen2/out-parameter.ts';
import type { Out } from '../gen2/out-parameter.ts';
import { inTerms } from '../gen2/terms.ts';
import { kernelDevice } from './kernel-device.ts';

/** Creates an address handle, the way to a peer of datagrams. */
export function ib_create_ah(pd: ProtectionDomain, ah_attr: AhAttrInit): AddressHandle {
  return inTerms('ib_create_ah', (verb) => aProtectionDomain(verb, pd).createAh(ah_attr));
}

/** Fills `ah_attr` with the way back to the sender of a datagram. `grh` are the first 40 bytes of its receive. */
export function ib_init_ah_from_wc(
  device: Device,
  port_num: number,
  wc: WorkCompletion,
  grh: Uint8Array,
  ah_attr: Out<AhAttrInit> = {},
): AhAttrInit {
  return inTerms('ib_init_ah_from_wc', (verb) => {
    const { context } = kernelDevice(aDevice(verb, device));
    return filled(ah_attr, context.initAhFromWc(port_num, wc, grh));
  });
}

/** Creates an address handle that leads back to the sender of a datagram. */
export function ib_create_ah_from_wc(
  pd: ProtectionDomain,
  wc: WorkCompletion,
  grh: Uint8Array,
  port_num: number,
): AddressHandle {
  return inTerms('ib_create_ah_from_wc', (verb) => aProtectionDomain(verb, pd).createAhFromWc(wc, grh, port_num));
}

/** The way that an address handle is. */
export function ib_query_ah(ah: AddressHandle, ah_attr: Out<AhAttr> = {}): AhAttr {
  return inTerms('ib_query_ah', (verb) => filled(ah_attr, anAh(verb, ah).attr));
}

/** Destroys an address handle. */
export function ib_destroy_ah(ah: AddressHandle): void {
  inTerms('ib_destroy_ah', (verb) => anAh(verb, ah).destroy());
}

/** Has a UD queue pair receive what is sent to a multicast group; `lid` is 0 on Ethernet. */
export function ib_attach_mcast(qp: QueuePair, gid: Gid, lid: number): void {
  inTerms('ib_attach_mcast', (verb) => aQp(verb, qp).attachMcast(gid, lid));
}

/** Ends what {@link ib_attach_mcast} began. */
export function ib_detach_mcast(qp: QueuePair, gid: Gid, lid: number): void {
  inTerms('ib_detach_mcast', (verb) => aQp(verb, qp).detachMcast(gid, lid));
}
