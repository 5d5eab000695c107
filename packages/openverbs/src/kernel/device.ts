/** Devices, by their C names of kernel level. Source of this and the other files: Linux include/rdma/ib_verbs.h. */
import type { Device, DeviceAttr, Gid, PortAttr } from '@openverbs/verbs';

import { aDevice } from '../gen2/first-argument.ts';
import { filled } from '../gen2/out-parameter.ts';
import type { Out } from '../gen2/out-parameter.ts';
import { inTerms } from '../gen2/terms.ts';
import { kernelDevice } from './kernel-device.ts';

/** What a device is and where its limits lie. */
export function ib_query_device(device: Device, device_attr: Out<DeviceAttr> = {}): DeviceAttr {
  return inTerms('ib_query_device', (verb) =>
    filled(device_attr, kernelDevice(aDevice(verb, device)).context.queryDevice()),
  );
}

/** What a port, counted from 1, is and how it is doing. */
export function ib_query_port(device: Device, port_num: number, port_attr: Out<PortAttr> = {}): PortAttr {
  return inTerms('ib_query_port', (verb) =>
    filled(port_attr, kernelDevice(aDevice(verb, device)).context.queryPort(port_num)),
  );
}

/** An entry of a port's GID table. */
export function ib_query_gid(device: Device, port_num: number, index: number): Gid {
  return inTerms('ib_query_gid', (verb) => kernelDevice(aDevice(verb, device)).context.queryGid(port_num, index));
}

/** An entry of a port's P_Key table. */
export function ib_query_pkey(device: Device, port_num: number, index: number): number {
  return inTerms('ib_query_pkey', (verb) => kernelDevice(aDevice(verb, device)).context.queryPkey(port_num, index));
}
