/** Configuration of the emulated provider. */
import { limits } from '@openverbs/hca';
import { MEMORY_BYTES_MAX } from '@openverbs/machine';
import { Gid } from '@openverbs/verbs';
import { badConfig, checkConfigInteger, checkRecord } from '@openverbs/verbs/driver';
import type { Faults } from '@openverbs/verbs/driver';
import { parseFaults } from './faults.ts';

/** One emulated HCA. */
export interface EmulatedDeviceConfig {
  /** As `ibv_get_device_name` tells it; default `emulated0`, `emulated1` … */
  readonly name: string;
  /** Physical ports, 1 to 16; default 1. */
  readonly ports: number;
  /** The P_Key table of each port, 1 to 128 of 16 bits; bit 15 is full membership. Default the one of the default partition, 0xffff. */
  readonly pkeys: readonly number[];
  /**
   * Addresses beside the link-local one that each port has at index 0: `{ port, gid }`, or the address alone for port 1, in IPv6 or
   * IPv4 notation. They take the indices from 1 in their order; a port has 16 addresses, and a machine 1024, the link-local ones included.
   * Default none.
   */
  readonly gids: readonly EmulatedGidConfig[];
  /**
   * GUID of the node, of which its link-local addresses are made; `'0200:0000:0000:0100'` in a configuration. Without it one that
   * differs from machine to machine, so from run to run, unless `use.prng` is seeded.
   */
  readonly guid?: bigint | undefined;
}

/** An address of a port. */
export interface EmulatedGidConfig {
  /** The port, from 1. */
  readonly port: number;
  /** The address. */
  readonly gid: Gid;
}

/** A further address, as a configuration spells it. */
export interface EmulatedGidSettings {
  /** The port, from 1; default 1. */
  readonly port?: number;
  /** IPv6 or IPv4, in text. */
  readonly gid: string;
}

/** One emulated HCA, as a configuration spells it. What is left out has its default. */
export interface EmulatedDeviceSettings extends Partial<Omit<EmulatedDeviceConfig, 'gids' | 'guid'>> {
  /** Further addresses, of port 1 or of the port that is said: IPv6 or IPv4, in text. */
  readonly gids?: readonly (string | EmulatedGidSettings)[];
  /** GUID of the node: four groups of four hexadecimal digits, as `ibv_devinfo` prints it. */
  readonly guid?: string;
}

/** Configuration of the emulated provider, with defaults filled in. */
export interface EmulatedConfig {
  /** The HCAs, all on one link; a configuration may give their number instead. Default 1. */
  readonly devices: readonly EmulatedDeviceConfig[];
  /** `inline`: whoever rings a doorbell executes the device. `thread`: a worker does. */
  readonly placement: 'inline' | 'thread';
  /** Machine memory, 128 MiB to 4 GiB; pages cost only when they are touched. Default 4 GiB. */
  readonly memoryBytes: number;
  /**
   * Whether messages travel as RoCEv2 packets even on a good network, so that they can be traced; slower. Undefined for: where there are
   * faults, or where somebody listens to packets when the devices are opened.
   */
  readonly packets: boolean | undefined;
  /** What the network does to packets; undefined for nothing. */
  readonly faults: Partial<Faults> | undefined;
}

const { HCAS_MAX, PORTS_MAX, PKEYS_MAX, HCA_NAME_BYTES_MAX } = limits;
/** Full member of the default partition (IBTA 10.9.1.2). */
const PKEYS_DEFAULT: readonly number[] = [0xffff];
const MEMORY_BYTES_MIN = 128 * 2 ** 20;

/** What can be configured. All of it is about the machine that is made. */
export const CONFIG_KEYS = ['devices', 'placement', 'memoryBytes', 'packets', 'faults'] as const;

/** Checks the `emulated` part of a configuration. */
export function parseConfig(value: unknown): EmulatedConfig {
  const config = checkRecord('emulated', value ?? {}, CONFIG_KEYS);
  const { devices = 1, placement = 'inline', memoryBytes = MEMORY_BYTES_MAX, packets, faults } = config;
  if (placement !== 'inline' && placement !== 'thread')
    throw badConfig('emulated.placement', placement, "'inline' or 'thread'");
  if (packets !== undefined && typeof packets !== 'boolean')
    throw badConfig('emulated.packets', packets, 'true or false');
  if (faults !== undefined && packets === false) {
    throw badConfig('emulated.packets', packets, 'true, or left out, where there are emulated.faults');
  }
  const parsed = parseDevices(devices);
  const names = parsed.map(({ name }) => name);
  return {
    devices: parsed,
    placement,
    memoryBytes: checkConfigInteger('emulated.memoryBytes', memoryBytes, MEMORY_BYTES_MIN, MEMORY_BYTES_MAX),
    packets,
    faults: faults === undefined ? undefined : parseFaults('emulated.faults', faults, names),
  };
}

function parseDevices(value: unknown): EmulatedDeviceConfig[] {
  if (typeof value === 'number') {
    const count = checkConfigInteger('emulated.devices', value, 1, HCAS_MAX);
    return Array.from({ length: count }, (_, index) => ({
      name: `emulated${index}`,
      ports: 1,
      gids: [],
      pkeys: PKEYS_DEFAULT,
    }));
  }
  if (!Array.isArray(value) || value.length < 1 || value.length > HCAS_MAX) {
    throw badConfig('emulated.devices', value, `a number or a list of 1 to ${HCAS_MAX} devices`);
  }
  const devices = value.map((device: unknown, index) => parseDevice(`emulated.devices[${index}]`, device, index));
  const names = devices.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw badConfig('emulated.devices', twice, 'a name for each device that no other has');
  return devices;
}

function parseDevice(where: string, value: unknown, index: number): EmulatedDeviceConfig {
  const {
    name = `emulated${index}`,
    ports = 1,
    gids = [],
    pkeys = PKEYS_DEFAULT,
    guid,
  } = checkRecord(where, value, ['name', 'ports', 'gids', 'pkeys', 'guid']);
  if (typeof name !== 'string' || !/^[\w.-]+$/.test(name) || name.length > HCA_NAME_BYTES_MAX) {
    throw badConfig(`${where}.name`, name, `1 to ${HCA_NAME_BYTES_MAX} letters, digits, '_', '.' or '-'`);
  }
  const portCount = checkConfigInteger(`${where}.ports`, ports, 1, PORTS_MAX);
  if (!Array.isArray(gids)) throw badConfig(`${where}.gids`, gids, 'a list of addresses');
  return {
    name,
    ports: portCount,
    gids: gids.map((gid, at) => parseGid(`${where}.gids[${at}]`, gid, portCount)),
    pkeys: parsePkeys(`${where}.pkeys`, pkeys),
    ...(guid !== undefined && { guid: parseGuid(`${where}.guid`, guid) }),
  };
}

function parseGuid(where: string, value: unknown): bigint {
  const isGuid = typeof value === 'string' && /^[\da-f]{4}(:[\da-f]{4}){3}$/i.test(value);
  const guid = isGuid ? BigInt(`0x${value.replaceAll(':', '')}`) : 0n;
  if (guid === 0n)
    throw badConfig(where, value, "four groups of four hexadecimal digits, for example '0200:0000:0000:0100'");
  return guid;
}

function parseGid(where: string, value: unknown, ports: number): EmulatedGidConfig {
  const { port = 1, gid } = typeof value === 'string' ? { gid: value } : checkRecord(where, value, ['port', 'gid']);
  const address = gidOf(gid);
  if (address === undefined || address.isZero || address.isMulticast) {
    throw badConfig(`${where}.gid`, gid, 'an IPv6 or IPv4 address that is not multicast, in text');
  }
  return { port: checkConfigInteger(`${where}.port`, port, 1, ports), gid: address };
}

function gidOf(text: unknown): Gid | undefined {
  try {
    return typeof text === 'string' ? Gid.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

function parsePkeys(where: string, value: unknown): number[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > PKEYS_MAX) {
    throw badConfig(where, value, `a list of 1 to ${PKEYS_MAX} P_Keys`);
  }
  return value.map((pkey: unknown, index) => checkConfigInteger(`${where}[${index}]`, pkey, 0, 0xffff));
}
