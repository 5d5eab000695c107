/**
 * Ports of event channels, as entries of tables and bits.
 *
 * Binding and closing want the lock. Sending does not: it sets a bit, then wakes. A notification that crosses the closing of a port may
 * so end as an event without a reason, which whoever gets events has to bear.
 */
import { wakeAll } from '@openverbs/machine';
import { HypervisorError } from '../errors.ts';
import { DomainRecord, Port, PortState } from './layout.ts';
import type { Slot, Tables } from './tables.ts';

/** Makes a port that a domain may bind to. The lock must be held. */
export function allocUnbound(tables: Tables, slot: Slot, remoteDomid: number): number {
  return openPort(tables, slot, remoteDomid, 0, 0, PortState.UNBOUND);
}

/** Binds to the unbound port of another domain. The lock must be held. */
export function bindInterdomain(tables: Tables, slot: Slot, remote: Slot, remotePort: number): number {
  const { i32 } = tables;
  const [own, other] = [tables.domidOf(slot), tables.domidOf(remote)];
  const refuse = (why: string): HypervisorError =>
    new HypervisorError('EINVAL', `port ${remotePort} of domain ${other} ${why}`);
  if (!(Number.isInteger(remotePort) && remotePort > 0 && remotePort < tables.limits.portsMax))
    throw refuse('does not exist');
  const entry = remote.ports + remotePort * Port.WORDS;
  if (i32[entry + Port.STATE] !== PortState.UNBOUND) throw refuse('is not waiting for anyone to bind');
  const expected = i32[entry + Port.REMOTE_DOMID];
  if (expected !== own) throw refuse(`is for domain ${expected}, not ${own}`);
  const port = openPort(tables, slot, other, remotePort, remote.index, PortState.INTERDOMAIN);
  i32[entry + Port.REMOTE_PORT] = port;
  i32[entry + Port.REMOTE_SLOT] = slot.index;
  Atomics.store(i32, entry + Port.STATE, PortState.INTERDOMAIN);
  // The other end may have sent before, and it was dropped.
  raise(tables, slot, port);
  return port;
}

function openPort(
  tables: Tables,
  slot: Slot,
  remoteDomid: number,
  remotePort: number,
  remoteSlot: number,
  state: number,
): number {
  const { i32 } = tables;
  const port = slot.portAllocator.alloc();
  if (port < 0) {
    const message = `all ports of domain ${tables.domidOf(slot)} are in use (portsMax is ${tables.limits.portsMax})`;
    throw new HypervisorError('ENOSPC', message, 'close ports that are not needed, or raise the limit');
  }
  const entry = slot.ports + port * Port.WORDS;
  setBit(i32, slot.pending, port, false);
  setBit(i32, slot.masked, port, false);
  i32[entry + Port.REMOTE_DOMID] = remoteDomid;
  i32[entry + Port.REMOTE_PORT] = remotePort;
  i32[entry + Port.REMOTE_SLOT] = remoteSlot;
  i32[entry + Port.THREAD] = tables.thread;
  Atomics.store(i32, entry + Port.STATE, state);
  return port;
}

/** Closes a port, and leaves the other end unbound. The lock must be held. */
export function closePort(tables: Tables, slot: Slot, port: number): void {
  const { i32 } = tables;
  const entry = slot.ports + port * Port.WORDS;
  const state = i32[entry + Port.STATE];
  if (state === PortState.FREE) return;
  Atomics.store(i32, entry + Port.STATE, PortState.FREE);
  if (state === PortState.INTERDOMAIN) {
    Atomics.store(i32, otherEnd(tables, slot, port) + Port.STATE, PortState.UNBOUND);
  }
  slot.portAllocator.free(port);
}

/** Whether the other end of a bound port is bound, too. It is not when a thread died while it bound or closed one of the two. */
export function isOtherBound(tables: Tables, slot: Slot, port: number): boolean {
  return tables.i32[otherEnd(tables, slot, port) + Port.STATE] === PortState.INTERDOMAIN;
}

/** The entry of the other end. */
function otherEnd(tables: Tables, slot: Slot, port: number): number {
  const entry = slot.ports + port * Port.WORDS;
  const remote = tables.slot(tables.i32[entry + Port.REMOTE_SLOT]);
  return remote.ports + tables.i32[entry + Port.REMOTE_PORT] * Port.WORDS;
}

/** Sends an event to the other end. Takes no lock. */
export function notify(tables: Tables, slot: Slot, port: number): void {
  const { i32 } = tables;
  const entry = slot.ports + port * Port.WORDS;
  if (Atomics.load(i32, entry + Port.STATE) !== PortState.INTERDOMAIN) return;
  raise(tables, tables.slot(i32[entry + Port.REMOTE_SLOT]), i32[entry + Port.REMOTE_PORT]);
}

/** Makes an event pending at a port. */
export function raise(tables: Tables, slot: Slot, port: number): void {
  const { i32 } = tables;
  // Whoever set the bit before also wakes, and the event is still to be taken.
  if (setBit(i32, slot.pending, port, true)) return;
  if (!hasBit(i32, slot.masked, port)) upcall(tables, slot);
}

/** Wakes whoever waits for events of a domain. */
export function upcall({ i32, machine }: Tables, { record }: Slot): void {
  Atomics.add(i32, record + DomainRecord.UPCALL, 1);
  Atomics.notify(i32, record + DomainRecord.UPCALL);
  wakeAll(machine);
}

/** Takes an event from a port: it is not pending after it, and masked. False when there is none, or it is held back. */
export function take({ i32 }: Tables, slot: Slot, port: number): boolean {
  if (!hasBit(i32, slot.pending, port) || hasBit(i32, slot.masked, port)) return false;
  setBit(i32, slot.masked, port, true);
  return setBit(i32, slot.pending, port, false);
}

/** Holds events back. */
export function mask({ i32 }: Tables, slot: Slot, port: number): void {
  setBit(i32, slot.masked, port, true);
}

/** Lets events come; one that is pending comes at once. */
export function unmask(tables: Tables, slot: Slot, port: number): void {
  setBit(tables.i32, slot.masked, port, false);
  if (isPending(tables, slot, port)) upcall(tables, slot);
}

/** Whether an event is pending, be it masked or not. */
export function isPending({ i32 }: Tables, slot: Slot, port: number): boolean {
  return hasBit(i32, slot.pending, port);
}

function hasBit(i32: Int32Array, base: number, port: number): boolean {
  return ((Atomics.load(i32, base + (port >>> 5)) >>> (port & 31)) & 1) !== 0;
}

/** Sets or clears a bit; returns what it was. */
function setBit(i32: Int32Array, base: number, port: number, on: boolean): boolean {
  const bit = 1 << (port & 31);
  const word = base + (port >>> 5);
  return ((on ? Atomics.or(i32, word, bit) : Atomics.and(i32, word, ~bit)) & bit) !== 0;
}
