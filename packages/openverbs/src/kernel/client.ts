/** Clients: who wants to know the devices, those that are there and those that come. */
import { VerbsError } from '@openverbs/verbs';
import type { Device } from '@openverbs/verbs';

import { aDevice, attributes } from '../gen2/first-argument.ts';
import { addClient, clientDataOf, isRegistered, keepClientData, removeClient } from './client-registry.ts';

/** C's `struct ib_client`. */
export interface IbClient {
  /** What messages call it. */
  readonly name: string;
  /** A device is there. */
  add(device: Device): void;
  /** A device goes; what was made on it has to go now. One that was pulled out already takes nothing but what ends objects. */
  remove(device: Device): void;
}

/**
 * Registers a client. `client.add` is called for each device, before this returns; and for each of later ones, when
 * `closeSharedOpenVerbs` of `openverbs/testing` has closed the devices and the next call that needs some opens others. `client.remove` is called
 * when a device is pulled out, or closed: before it goes if this thread does it, and soon after if another one does.
 *
 * @throws VerbsError EINVAL for a client that is registered. What `client.add` throws is thrown on, and the client is not registered then.
 */
export function ib_register_client(client: IbClient): void {
  const verb = 'ib_register_client';
  checkClient(verb, client);
  if (isRegistered(client)) throw invalid(verb, `the client '${client.name}' is registered already`);
  addClient(client);
}

/** Ends a registration: `client.remove` is called for each device, the youngest first. */
export function ib_unregister_client(client: IbClient): void {
  const verb = 'ib_unregister_client';
  checkClient(verb, client);
  if (!isRegistered(client)) throw invalid(verb, `the client '${client.name}' is not registered`);
  removeClient(client);
}

/** Keeps something with a device, for `client`. */
export function ib_set_client_data(device: Device, client: IbClient, data: unknown): void {
  const kept = aDevice('ib_set_client_data', device);
  checkRegistered('ib_set_client_data', client);
  keepClientData(kept, client, data);
}

/** What {@link ib_set_client_data} kept; null if nothing. */
export function ib_get_client_data(device: Device, client: IbClient): unknown {
  const kept = aDevice('ib_get_client_data', device);
  checkRegistered('ib_get_client_data', client);
  return clientDataOf(kept, client);
}

function checkClient(verb: string, client: IbClient): void {
  const given: Readonly<Record<keyof IbClient, unknown>> = attributes(verb, 'the first argument', client);
  if (typeof given.name !== 'string') throw invalid(verb, `its name is ${String(given.name)}, not text`);
  if (typeof given.add !== 'function' || typeof given.remove !== 'function')
    throw invalid(verb, `the client '${given.name}' lacks add() or remove()`);
}

function checkRegistered(verb: string, client: IbClient): void {
  if (!isRegistered(client)) throw invalid(verb, 'the client is not registered');
}

function invalid(verb: string, message: string): VerbsError {
  return new VerbsError({ code: 'EINVAL', verb, message, hint: 'a client is { name, add(device), remove(device) }' });
}
