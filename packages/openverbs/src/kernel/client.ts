/** Clients: who wants to know the devices, those that are there and those that come. */
import { VerbsError } from '@openverbs/verbs';
import type { Device } from '@openverbs/verbs';

import { aDevice, attributes } from '../gen2/first-argument.ts';
import { listenToSharedOpenVerbs, sharedOpenVerbs } from '../shared-instance.ts';

/** C's `struct ib_client`. */
export interface IbClient {
  /** What messages call it. */
  readonly name: string;
  /** A device is there. */
  add(device: Device): void;
  /** A device goes; what was made on it has to go now. */
  remove(device: Device): void;
}

/** The clients, the oldest first, with the devices that they were told of. */
const clients = new Map<IbClient, Set<Device>>();
/** What clients keep with devices. */
let clientData = new WeakMap<Device, Map<IbClient, unknown>>();
let listening = false;

/**
 * Registers a client. `client.add` is called for each device, before this returns; and for each of later ones, when
 * `closeSharedOpenVerbs` of `openverbs/testing` has closed the devices and the next call that needs some opens others.
 *
 * @throws VerbsError EINVAL for a client that is registered. What `client.add` throws is thrown on, and the client is not registered then.
 */
export function ib_register_client(client: IbClient): void {
  const verb = 'ib_register_client';
  checkClient(verb, client);
  if (clients.has(client)) throw invalid(verb, `the client '${client.name}' is registered already`);
  if (!listening) listenToSharedOpenVerbs({ opened: addAll, closing: removeAll });
  listening = true;
  const { devices } = sharedOpenVerbs();
  clients.set(client, new Set());
  try {
    for (const device of devices) add(client, device);
  } catch (error) {
    remove(client);
    clients.delete(client);
    throw error;
  }
}

/** Ends a registration: `client.remove` is called for each device, the youngest first. */
export function ib_unregister_client(client: IbClient): void {
  const verb = 'ib_unregister_client';
  checkClient(verb, client);
  if (!clients.has(client)) throw invalid(verb, `the client '${client.name}' is not registered`);
  try {
    remove(client);
  } finally {
    clients.delete(client);
  }
}

/** Keeps something with a device, for `client`. */
export function ib_set_client_data(device: Device, client: IbClient, data: unknown): void {
  const kept = aDevice('ib_set_client_data', device);
  checkRegistered('ib_set_client_data', client);
  const ofDevice = clientData.get(kept) ?? new Map<IbClient, unknown>();
  clientData.set(kept, ofDevice.set(client, data));
}

/** What {@link ib_set_client_data} kept; null if nothing. */
export function ib_get_client_data(device: Device, client: IbClient): unknown {
  const kept = aDevice('ib_get_client_data', device);
  checkRegistered('ib_get_client_data', client);
  return clientData.get(kept)?.get(client) ?? null;
}

function add(client: IbClient, device: Device): void {
  clients.get(client)!.add(device);
  client.add(device);
}

/** Tells a client that its devices go. All are told, whatever one call throws; the first error is thrown then. */
function remove(client: IbClient): void {
  const told = clients.get(client)!;
  const errors: unknown[] = [];
  for (const device of [...told].reverse()) {
    try {
      client.remove(device);
    } catch (error) {
      errors.push(error);
    }
    clientData.get(device)?.delete(client);
  }
  told.clear();
  if (errors.length > 0) throw errors[0];
}

function addAll(devices: readonly Device[]): void {
  for (const client of [...clients.keys()]) {
    for (const device of devices) guarded(() => add(client, device));
  }
}

/** Source: Linux drivers/infiniband/core/device.c, ib_unregister_device: the youngest client first. */
function removeAll(): void {
  for (const client of [...clients.keys()].reverse()) guarded(() => remove(client));
  clientData = new WeakMap();
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

function checkClient(verb: string, client: IbClient): void {
  const given: Readonly<Record<keyof IbClient, unknown>> = attributes(verb, 'the first argument', client);
  if (typeof given.name !== 'string') throw invalid(verb, `its name is ${String(given.name)}, not text`);
  if (typeof given.add !== 'function' || typeof given.remove !== 'function')
    throw invalid(verb, `the client '${given.name}' lacks add() or remove()`);
}

function checkRegistered(verb: string, client: IbClient): void {
  if (!clients.has(client)) throw invalid(verb, 'the client is not registered');
}

function invalid(verb: string, message: string): VerbsError {
  return new VerbsError({ code: 'EINVAL', verb, message, hint: 'a client is { name, add(device), remove(device) }' });
}
