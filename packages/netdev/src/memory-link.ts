/**
 * The memory link: joins the ports of all devices of one machine.
 *
 * It is a forwarding table in machine memory, from GID to port. A message needs no frame: the sender's device finds the
 * receiver's tables through the port and hands it a descriptor. Lookups happen when a QP's address vector is set, not per message.
 */
import { MachineError } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';

/** Addresses on one link: of 16 devices of 16 ports, 4 each. */
export const LINK_GIDS_MAX = 1024;

/** Root word of machine memory by which threads find the table. */
const ROOT_MEMORY_LINK = 1;
/** Owner of the table's page, above all thread slots. */
const OWNER_LINK = 0x10001;

/** Words of an entry of the forwarding table. */
const Entry = { GID: 0, PORT_ID: 4, USED: 5, GID_INDEX: 6, WORDS: 8 } as const;

/**
 * Identity of a port on the link: the device's index in its machine, and the port's number. With the index of one of its GIDs it is
 * the identity of that address.
 */
export function portId(deviceIndex: number, port: number, gidIndex = 0): number {
  return (gidIndex << 16) | (deviceIndex << 8) | port;
}

/** Index of the device whose port, or address, an identity is of. */
export function deviceOf(identity: number): number {
  return (identity >>> 8) & 0xff;
}

/** Number of the port that an identity is of. */
export function portOf(identity: number): number {
  return identity & 0xff;
}

/** The link that all devices of a machine are on. */
export class MemoryLink {
  readonly #i32: Int32Array;
  readonly #table: number;

  /** Finds the machine's link, or makes it. The machine's lock must be held. */
  constructor(machine: Machine) {
    let addr = machine.root(ROOT_MEMORY_LINK);
    if (addr === 0) {
      addr = machine.pages.alloc(LINK_GIDS_MAX * Entry.WORDS * 4, 4096, OWNER_LINK);
      if (addr === 0) {
        const message = 'no machine memory is left for the forwarding table of the memory link';
        throw new MachineError({ code: 'ENOMEM', message, hint: 'give the machine more memoryBytes' });
      }
      machine.setRoot(ROOT_MEMORY_LINK, addr);
    }
    this.#i32 = machine.i32;
    this.#table = addr >>> 2;
  }

  /**
   * Connects a port under a GID, given as four words in memory order, which has the index `gidIndex` in the port's table.
   *
   * @throws RangeError when another port has the GID, or all {@link LINK_GIDS_MAX} entries are taken
   */
  attach(gid: ArrayLike<number>, port: number, gidIndex = 0): void {
    const owner = this.lookup(gid);
    if (owner === port) return;
    if (owner >= 0) throw new RangeError(`port ${portOf(owner)} of device ${deviceOf(owner)} has this GID`);
    for (let entry = this.#table; entry < this.#end; entry += Entry.WORDS) {
      if (this.#i32[entry + Entry.USED] !== 0) continue;
      for (let n = 0; n < 4; n++) this.#i32[entry + Entry.GID + n] = gid[n];
      this.#i32[entry + Entry.PORT_ID] = port;
      this.#i32[entry + Entry.GID_INDEX] = gidIndex;
      Atomics.store(this.#i32, entry + Entry.USED, 1);
      return;
    }
    throw new RangeError(`the memory link takes ${LINK_GIDS_MAX} addresses`);
  }

  /** Addresses that it has room for. */
  get available(): number {
    let free = 0;
    for (let entry = this.#table; entry < this.#end; entry += Entry.WORDS) {
      if (this.#i32[entry + Entry.USED] === 0) free++;
    }
    return free;
  }

  /** Disconnects a port from all of its GIDs. */
  detach(port: number): void {
    for (let entry = this.#table; entry < this.#end; entry += Entry.WORDS) {
      if (this.#i32[entry + Entry.PORT_ID] === port) this.#i32[entry + Entry.USED] = 0;
    }
  }

  /** Disconnects a port from one of its GIDs, given by its identity. */
  detachAddress(address: number): void {
    for (let entry = this.#table; entry < this.#end; entry += Entry.WORDS) {
      if (this.#i32[entry + Entry.PORT_ID] !== (address & 0xffff)) continue;
      if (this.#i32[entry + Entry.GID_INDEX] === address >>> 16) this.#i32[entry + Entry.USED] = 0;
    }
  }

  /** As {@link MemoryLink.lookup}, but the identity of the address: with its index in the port's table. */
  lookupAddress(gid: ArrayLike<number>): number {
    for (let entry = this.#table; entry < this.#end; entry += Entry.WORDS) {
      if (this.#i32[entry + Entry.USED] === 0 || !this.#has(entry + Entry.GID, gid)) continue;
      return (this.#i32[entry + Entry.GID_INDEX] << 16) | this.#i32[entry + Entry.PORT_ID];
    }
    return -1;
  }

  /** Identity of the port that has the GID, or -1. */
  lookup(gid: ArrayLike<number>): number {
    for (let entry = this.#table; entry < this.#end; entry += Entry.WORDS) {
      if (this.#i32[entry + Entry.USED] !== 0 && this.#has(entry + Entry.GID, gid)) {
        return this.#i32[entry + Entry.PORT_ID];
      }
    }
    return -1;
  }

  #has(at: number, gid: ArrayLike<number>): boolean {
    for (let n = 0; n < 4; n++) if (this.#i32[at + n] !== (gid[n] | 0)) return false;
    return true;
  }

  get #end(): number {
    return this.#table + LINK_GIDS_MAX * Entry.WORDS;
  }
}
