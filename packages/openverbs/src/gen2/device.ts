/** Devices and contexts, by their C names. Sources: the man pages of section 3 of the same names. */
import type { Context, Device, DeviceAttr, Gid, PortAttr } from '@openverbs/verbs';

import { sharedOpenVerbs } from '../shared-instance.ts';
import { filled } from './out-parameter.ts';
import type { Out } from './out-parameter.ts';

/**
 * The devices that are there. The first call loads the provider that the environment or `openverbs.config.json` names, the
 * emulated one otherwise. The array's length takes the place of `num_devices`.
 */
export function ibv_get_device_list(): Device[] {
  return [...sharedOpenVerbs().devices];
}

/** Empties the list; open devices stay open. */
export function ibv_free_device_list(list: Device[]): void {
  list.length = 0;
}

/** The name of a device. */
export function ibv_get_device_name(device: Device): string {
  return device.name;
}

/** The GUID of a device, in host order; C gives it in network order. */
export function ibv_get_device_guid(device: Device): bigint {
  return device.guid;
}

/** Opens a device. */
export function ibv_open_device(device: Device): Context {
  return device.open();
}

/**
 * Closes a context.
 *
 * @throws VerbsError EBUSY while it has objects; C leaks them.
 */
export function ibv_close_device(context: Context): void {
  context.close();
}

/** What a device is and where its limits lie. */
export function ibv_query_device(context: Context, device_attr: Out<DeviceAttr> = {}): DeviceAttr {
  return filled(device_attr, context.queryDevice());
}

/** What a port, counted from 1, is and how it is doing. */
export function ibv_query_port(context: Context, port_num: number, port_attr: Out<PortAttr> = {}): PortAttr {
  return filled(port_attr, context.queryPort(port_num));
}

/** An entry of a port's GID table. */
export function ibv_query_gid(context: Context, port_num: number, index: number): Gid {
  return context.queryGid(port_num, index);
}

/** An entry of a port's P_Key table, in host order; C gives it in network order. */
export function ibv_query_pkey(context: Context, port_num: number, index: number): number {
  return context.queryPkey(port_num, index);
}
