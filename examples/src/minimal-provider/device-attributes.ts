/** What the device says of itself: the manifest, `ibv_query_device` and `ibv_query_port`. */
import { DeviceCapFlags, type DeviceAttr, type PortAttr } from '@openverbs/verbs';
import {
  CAPABILITY_MANIFEST_VERSION,
  deviceAttrOf,
  portAttrOf,
  type CapabilityManifest,
} from '@openverbs/verbs/driver';

export const capabilities: CapabilityManifest = {
  version: CAPABILITY_MANIFEST_VERSION,
  supports: { rc: true, rdmaWrite: true, completionEvents: true, vendorErrors: true, registersAnyMemory: true },
};

/** Locally administered, so that it is nobody's (IEEE 802, EUI-64). */
export const GUID = 0x0200_0000_4c42_0000n;

export const deviceAttr: DeviceAttr = deviceAttrOf({
  fwVer: '1.0',
  nodeGuid: GUID,
  deviceCapFlags: DeviceCapFlags.RC_RNR_NAK_GEN,
  maxMrSize: 2 ** 31,
  maxMr: 4096,
  maxPd: 1024,
  maxCq: 2048,
  maxCqe: 65_536,
  maxQp: 1024,
  maxQpWr: 1024,
  maxSge: 16,
});

/** The longest message there is (IBTA 9.7.7.1.4). */
export const portAttr: PortAttr = portAttrOf({ maxMsgSz: 2 ** 31 });
