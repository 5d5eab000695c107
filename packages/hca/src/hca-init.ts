/** What an HCA is made of. */
import { LINK_GIDS_MAX, type MemoryLink } from '@openverbs/netdev';
import { DeviceError } from './device-error.ts';
import { Port } from './layout.ts';
import { PKEYS_MAX, PORT_GIDS_MAX, PORTS_MAX } from './limits.ts';
import { PKEY_DEFAULT } from './pkey.ts';

/** What an HCA is made of. */
export interface HcaInit {
  readonly name: string;
  readonly guidHi: number;
  readonly guidLo: number;
  readonly ports: number;
  /** P_Key table of each port; the default partition when it is left out. */
  readonly pkeys?: readonly number[];
  /** Addresses beside the link-local one that each port has at index 0; they take the indices from 1 in their order. */
  readonly gids?: readonly PortGid[];
}

/** An address of a port. */
export interface PortGid {
  readonly port: number;
  /** 16 bytes in network order. */
  readonly gid: Uint8Array;
}

/** P_Keys of a port unless said. */
const PKEYS_DEFAULT: readonly number[] = [PKEY_DEFAULT];

/**
 * Checks what an HCA is to be made of, before anything of it is; answers the addresses of each port, as words.
 *
 * @throws DeviceError `EINVAL` for what is none or passes a limit, or is taken; `ENOSPC` when the link has no room for its addresses
 */
export function checkHcaInit(init: HcaInit, link: MemoryLink): Int32Array[][] {
  const { ports, pkeys = PKEYS_DEFAULT } = init;
  if (ports < 1 || ports > PORTS_MAX) {
    throw new DeviceError('EINVAL', `an HCA has 1 to ${PORTS_MAX} ports, not ${ports}`);
  }
  if (pkeys.length < 1 || pkeys.length > PKEYS_MAX || pkeys.some((pkey) => pkey !== (pkey & 0xffff))) {
    throw new DeviceError('EINVAL', `a port has 1 to ${PKEYS_MAX} P_Keys of 16 bits`);
  }
  const gids = portGids(init);
  checkGids(link, init, gids);
  return gids;
}

/** The addresses of each port, as words. */
function portGids(init: HcaInit): Int32Array[][] {
  return Array.from({ length: init.ports }, (_, at) => {
    const port = at + 1;
    const others = (init.gids ?? []).filter((entry) => entry.port === port);
    const words = others.map(({ gid }) => new Int32Array(Uint8Array.from(gid).buffer));
    return [gidWords(init.guidHi, init.guidLo, port), ...words];
  });
}

function checkGids(link: MemoryLink, init: HcaInit, gids: readonly Int32Array[][]): void {
  const count = gids.flat().length;
  if (count > link.available) {
    const message = `the link of a machine takes ${LINK_GIDS_MAX} addresses, of which ${link.available} are free; ${init.name} has ${count}`;
    throw new DeviceError('ENOSPC', message, 'give its ports fewer GIDs, or the machine fewer devices or ports');
  }
  const seen = new Set<string>();
  gids.forEach((words, at) => {
    if (words.length > PORT_GIDS_MAX) {
      throw new DeviceError(
        'EINVAL',
        `port ${at + 1} of ${init.name} has ${words.length} GIDs, more than ${PORT_GIDS_MAX}`,
      );
    }
    words.forEach((gid, index) => {
      const taken = link.lookup(gid) >= 0 || seen.has(gid.join());
      seen.add(gid.join());
      if (!taken) return;
      const which = index === 0 ? 'GUID' : `GID at index ${index}`;
      throw new DeviceError('EINVAL', `another port has the ${which} that port ${at + 1} of ${init.name} would have`);
    });
  });
}

/** fe80::, then the port's GUID: that of the node plus the port's number (IBTA 4.1.1). Words in memory order. */
function gidWords(guidHi: number, guidLo: number, port: number): Int32Array {
  const words = new Int32Array(4);
  const view = new DataView(words.buffer);
  view.setUint16(0, 0xfe80);
  view.setUint32(8, guidHi);
  view.setUint32(12, guidLo + port);
  return words;
}

/** Every port begins with the same P_Keys. */
export function storePkeys(i32: Int32Array, table: number, { ports, pkeys = PKEYS_DEFAULT }: HcaInit): void {
  for (let port = table; port < table + ports * Port.WORDS; port += Port.WORDS) {
    i32[port + Port.PKEY_COUNT] = pkeys.length;
    i32.set(pkeys, port + Port.PKEYS);
  }
}
