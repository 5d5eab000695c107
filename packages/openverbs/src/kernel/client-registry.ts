/** The clients of kernel level, and the devices that each knows. */
import type { Device } from '@openverbs/verbs';

import { listenToSharedOpenVerbs, sharedOpenVerbs } from '../shared-instance.ts';
import type { IbClient } from './client.ts';

/** The clients, the oldest first, with the devices that they were told of. */
const clients = new Map<IbClient, Set<Device>>();
/** What clients keep with devices. */
let clientData = new WeakMap<Device, Map<IbClient, unknown>>();
let listening = false;
/** Looks after devices that others pull out, while there are clients. */
let watch: NodeJS.Timeout | undefined;

/** Another thread that pulls out a device tells nobody here: so often it is looked for. */
const WATCH_INTERVAL_MS = 200;

/** Whether it is registered. */
export function isRegistered(client: IbClient): boolean {
  return clients.has(client);
}

/** Adds a client, and tells it of the devices that are there. One that throws has not been added. */
export function addClient(client: IbClient): void {
  if (!listening) listenToSharedOpenVerbs({ opened: addAll, closing: removeAll, removing: removeEverywhere });
  listening = true;
  const { devices } = sharedOpenVerbs();
  clients.set(client, new Set());
  try {
    for (const device of devices) add(client, device);
    watchDevices();
  } catch (error) {
    remove(client);
    clients.delete(client);
    throw error;
  }
}

/** Takes a client out, and tells it that its devices go, the youngest first. */
export function removeClient(client: IbClient): void {
  try {
    remove(client);
  } finally {
    clients.delete(client);
    watchDevices();
  }
}

/** What a client keeps with a device. */
export function clientDataOf(device: Device, client: IbClient): unknown {
  return clientData.get(device)?.get(client) ?? null;
}

/** Keeps something with a device, for a client. */
export function keepClientData(device: Device, client: IbClient, data: unknown): void {
  const ofDevice = clientData.get(device) ?? new Map<IbClient, unknown>();
  clientData.set(device, ofDevice.set(client, data));
}

/** Tells the clients of devices that were pulled out without their being told. */
export function removeGone(): void {
  const gone = new Set<Device>();
  for (const told of clients.values()) for (const device of told) if (device.removed) gone.add(device);
  for (const device of gone) removeEverywhere(device);
}

function add(client: IbClient, device: Device): void {
  if (device.removed) return;
  clients.get(client)!.add(device);
  client.add(device);
}

/** Tells a client that its devices go. All are told, whatever one call throws; the first error is thrown then. */
function remove(client: IbClient): void {
  const errors: unknown[] = [];
  for (const device of [...clients.get(client)!].reverse()) {
    try {
      removeOne(client, device);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** Tells a client, once, that a device goes. Its data is there until then. */
function removeOne(client: IbClient, device: Device): void {
  if (!clients.get(client)?.delete(device)) return;
  try {
    client.remove(device);
  } finally {
    clientData.get(device)?.delete(client);
  }
}

/** One device goes. Source: Linux drivers/infiniband/core/device.c, ib_unregister_device: the youngest client first. */
function removeEverywhere(device: Device): void {
  for (const client of [...clients.keys()].reverse()) guarded(() => removeOne(client, device));
}

function addAll(devices: readonly Device[]): void {
  for (const client of [...clients.keys()]) {
    for (const device of devices) guarded(() => add(client, device));
  }
}

function removeAll(): void {
  for (const client of [...clients.keys()].reverse()) guarded(() => remove(client));
  clientData = new WeakMap();
}

/** Does not keep the process alive: a client without objects does not either. */
function watchDevices(): void {
  if (clients.size > 0) {
    watch ??= setInterval(removeGone, WATCH_INTERVAL_MS).unref();
    return;
  }
  clearInterval(watch);
  watch = undefined;
}

/** Whoever opens or closes the devices is not the one to tell of a client's error. */
function guarded(call: () => void): void {
  try {
    call();
  } catch (exception) {
    queueMicrotask(() => {
      throw exception;
    });
  }
}
