/** Devices and contexts, by their C names. Sources: the man pages of section 3 of the same names. */
import { ForkStatus, VerbsError } from '@openverbs/verbs';
import type { Context, Device, DeviceAttr, DeviceAttrEx, Gid, GidEntry, PortAttr } from '@openverbs/verbs';

import { sharedOpenVerbs } from '../shared-instance.ts';
import { aContext, aDevice, aList } from './first-argument.ts';
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
  aList('ibv_free_device_list', list).length = 0;
}

/** The name of a device. */
export function ibv_get_device_name(device: Device): string {
  return aDevice('ibv_get_device_name', device).name;
}

/** The GUID of a device, in host order; C gives it in network order. */
export function ibv_get_device_guid(device: Device): bigint {
  return aDevice('ibv_get_device_guid', device).guid;
}

/** The place of a device in the list. Here it is no index of the system's, and the same as long as the devices are open. */
export function ibv_get_device_index(device: Device): number {
  return sharedOpenVerbs().devices.indexOf(aDevice('ibv_get_device_index', device));
}

/** Opens a device. */
export function ibv_open_device(device: Device): Context {
  return aDevice('ibv_open_device', device).open();
}

/**
 * Closes a context.
 *
 * @throws VerbsError EBUSY while it has objects; C leaks them.
 */
export function ibv_close_device(context: Context): void {
  aContext('ibv_close_device', context).close();
}

/** What a device is and where its limits lie. */
export function ibv_query_device(context: Context, device_attr: Out<DeviceAttr> = {}): DeviceAttr {
  return filled(device_attr, aContext('ibv_query_device', context).queryDevice());
}

/** The same, with what later versions added; `input` is C's, which has no members yet. */
export function ibv_query_device_ex(
  context: Context,
  _input: object | null = null,
  attr: Out<DeviceAttrEx> = {},
): DeviceAttrEx {
  return filled(attr, aContext('ibv_query_device_ex', context).queryDeviceEx());
}

/** What a port, counted from 1, is and how it is doing. */
export function ibv_query_port(context: Context, port_num: number, port_attr: Out<PortAttr> = {}): PortAttr {
  return filled(port_attr, aContext('ibv_query_port', context).queryPort(port_num));
}

/** An entry of a port's GID table. */
export function ibv_query_gid(context: Context, port_num: number, index: number): Gid {
  return aContext('ibv_query_gid', context).queryGid(port_num, index);
}

/** An entry of a port's P_Key table, in host order; C gives it in network order. */
export function ibv_query_pkey(context: Context, port_num: number, index: number): number {
  return aContext('ibv_query_pkey', context).queryPkey(port_num, index);
}

/** Where a P_Key, in host order, is in a port's table; an error when it is not there, where C answers -1. */
export function ibv_get_pkey_index(context: Context, port_num: number, pkey: number): number {
  return aContext('ibv_get_pkey_index', context).getPkeyIndex(port_num, pkey);
}

/** The speed of a port in units of 100 Mb/s. */
export function ibv_query_port_speed(context: Context, port_num: number): number {
  return aContext('ibv_query_port_speed', context).queryPortSpeed(port_num);
}

/** An entry of a port's GID table, with what it is for. There are no flags yet, so they have to be 0. */
export function ibv_query_gid_ex(
  context: Context,
  port_num: number,
  gid_index: number,
  entry: Out<GidEntry> = {},
  flags = 0,
): GidEntry {
  const opened = aContext('ibv_query_gid_ex', context);
  refuseFlags('ibv_query_gid_ex', flags);
  return filled(entry, opened.queryGidEntry(port_num, gid_index));
}

/**
 * The entries of all ports' GID tables that are in use; `entries` takes at most `max_entries` of them, and the array's length is
 * what C returns.
 */
export function ibv_query_gid_table(
  context: Context,
  entries: GidEntry[] = [],
  max_entries = Infinity,
  flags = 0,
): GidEntry[] {
  const opened = aContext('ibv_query_gid_table', context);
  refuseFlags('ibv_query_gid_table', flags);
  entries.splice(0, entries.length, ...opened.queryGidTable().slice(0, max_entries));
  return entries;
}

/** Prepares for `fork`. JavaScript has none, so there is nothing to do, and nothing that could fail: 0. */
export function ibv_fork_init(): number {
  return 0;
}

/** Whether registered memory survives a `fork`: `IBV_FORK_UNNEEDED`, since JavaScript has none. */
export function ibv_is_fork_initialized(): ForkStatus {
  return ForkStatus.UNNEEDED;
}

function refuseFlags(verb: string, flags: number): void {
  if (flags !== 0) throw new VerbsError({ code: 'EINVAL', verb, message: `flags are ${flags}; there are none yet` });
}
