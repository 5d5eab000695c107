/** Configuration of the Xen provider. */
import { badConfig, checkConfigInteger, checkRecord } from '@openverbs/verbs/driver';
import { QUOTAS } from './backend/quota.ts';
import type { QuotaKind } from './backend/quota.ts';
import { GUESTS_MAX, WEIGHT_MAX } from './protocol/limits.ts';

/** A guest. */
export interface XenGuestConfig {
  /** Name of the domain; default `guest` and its number: `guest1` of domain 1, whose devices are `vib1.0` and so on. */
  readonly name?: string | undefined;
  /** Memory that it may have; default 512 MiB, taken when it is allocated. */
  readonly memoryBytes: number;
  /** `basic` or `bypass`; default that of the provider. */
  readonly mode: 'basic' | 'bypass';
  /** Share of the device among the guests, 1 to 65535; default 1. Counts for `basic`, where the back-end posts. */
  readonly weight: number;
  /** Bytes a second that it may send; 0, the default, for no limit. Counts for `basic`. */
  readonly rateBytesPerS: number;
  /** Bytes that it may send at once on top of that; default a hundredth of a second's. */
  readonly burstBytes: number;
}

/** Configuration of the Xen provider, with defaults filled in. */
export interface XenConfig {
  /**
   * `bypass`, the default: post, poll and arm go from the guest straight to the device. `basic`: they go through the back-end.
   */
  readonly mode: 'basic' | 'bypass';
  /** The provider whose devices the device domain shares; default `emulated`. Its own settings are in its own section. */
  readonly backend: string;
  /** Where the device domain runs: `inline`, on this thread, the default; `thread`, on a worker. Other threads need `thread`. */
  readonly placement: 'inline' | 'thread';
  /**
   * The guests of this thread; a configuration may give their number instead. Default 1. Each sees every device. A thread with 0 only looks on: it
   * joins a machine for `verbs.guests()`.
   */
  readonly guests: readonly XenGuestConfig[];
  /** Of `basic`: whether a poll that finds nothing fetches all that a CQ holds, so that later ones are local; default true. */
  readonly cqeBuffering: boolean;
  /** What a guest may have of each kind of object, where it is to be other than usual. */
  readonly quotas: Partial<Readonly<Record<QuotaKind, number>>>;
  /**
   * Bytes a second that all guests together may send through the back-end, which shares them out by weight; 0, the default, for no limit.
   * Counts for `basic`.
   */
  readonly bandwidthBytesPerS: number;
}

/** The Xen provider's settings, as a configuration spells them. What is left out has its default. */
export interface XenSettings extends Partial<Omit<XenConfig, 'guests'>> {
  /** How many guests, or which. */
  readonly guests?: number | readonly Partial<XenGuestConfig>[];
}

const GUEST_MEMORY_BYTES = 512 * 2 ** 20;
const GUEST_MEMORY_BYTES_MIN = 2 ** 20;
const GUEST_MEMORY_BYTES_MAX = 4 * 2 ** 30;
const KEYS = ['mode', 'backend', 'placement', 'guests', 'cqeBuffering', 'quotas', 'bandwidthBytesPerS'];
const MODES = ['basic', 'bypass'];
const NAME = /^[A-Za-z0-9_.+-]{1,64}$/;

/** Checks the `xen` part of a configuration. */
export function parseConfig(value: unknown): XenConfig {
  const config = checkRecord('xen', value ?? {}, KEYS);
  const { backend = 'emulated', placement = 'inline', guests = 1, quotas = {}, bandwidthBytesPerS = 0 } = config;
  const { cqeBuffering = true } = config;
  const mode = parseMode('xen.mode', config['mode'] ?? 'bypass');
  if (typeof backend !== 'string' || backend === '') throw badConfig('xen.backend', backend, 'the name of a provider');
  if (backend === 'xen') throw badConfig('xen.backend', backend, 'a provider that has devices of its own');
  if (placement !== 'inline' && placement !== 'thread') {
    throw badConfig('xen.placement', placement, "'inline' or 'thread'");
  }
  if (typeof cqeBuffering !== 'boolean') throw badConfig('xen.cqeBuffering', cqeBuffering, 'true or false');
  return {
    mode,
    backend,
    placement,
    guests: parseGuests(guests, mode),
    cqeBuffering,
    quotas: parseQuotas(quotas),
    bandwidthBytesPerS: parseBytes('xen.bandwidthBytesPerS', bandwidthBytesPerS),
  };
}

function parseMode(where: string, value: unknown): 'basic' | 'bypass' {
  if (typeof value === 'string' && MODES.includes(value)) return value as 'basic' | 'bypass';
  throw badConfig(where, value, "'basic' or 'bypass'");
}

function parseGuests(value: unknown, mode: 'basic' | 'bypass'): XenGuestConfig[] {
  const list: readonly unknown[] | undefined =
    typeof value === 'number'
      ? Array.from({ length: checkConfigInteger('xen.guests', value, 0, GUESTS_MAX) }, () => ({}))
      : Array.isArray(value)
        ? (value as unknown[])
        : undefined;
  if (list === undefined || list.length > GUESTS_MAX) {
    throw badConfig('xen.guests', value, `a number or a list of 0 to ${GUESTS_MAX} guests`);
  }
  return list.map((guest, index) => parseGuest(`xen.guests[${index}]`, guest, mode));
}

function parseGuest(where: string, value: unknown, mode: 'basic' | 'bypass'): XenGuestConfig {
  const keys = ['name', 'memoryBytes', 'mode', 'weight', 'rateBytesPerS', 'burstBytes'];
  const given = checkRecord(where, value, keys);
  const { name, memoryBytes = GUEST_MEMORY_BYTES, weight = 1 } = given;
  const { rateBytesPerS = 0, burstBytes = 0 } = given;
  if (name !== undefined && (typeof name !== 'string' || !NAME.test(name))) {
    throw badConfig(`${where}.name`, name, "1 to 64 letters, digits, '_', '.', '+' or '-'");
  }
  return {
    name,
    memoryBytes: checkConfigInteger(
      `${where}.memoryBytes`,
      memoryBytes,
      GUEST_MEMORY_BYTES_MIN,
      GUEST_MEMORY_BYTES_MAX,
    ),
    mode: parseMode(`${where}.mode`, given['mode'] ?? mode),
    weight: checkConfigInteger(`${where}.weight`, weight, 1, WEIGHT_MAX),
    rateBytesPerS: parseBytes(`${where}.rateBytesPerS`, rateBytesPerS),
    burstBytes: parseBytes(`${where}.burstBytes`, burstBytes),
  };
}

function parseBytes(where: string, value: unknown): number {
  return checkConfigInteger(where, value, 0, Number.MAX_SAFE_INTEGER);
}

function parseQuotas(value: unknown): Partial<Record<QuotaKind, number>> {
  const quotas = checkRecord('xen.quotas', value, Object.keys(QUOTAS));
  for (const [kind, limit] of Object.entries(quotas)) {
    checkConfigInteger(`xen.quotas.${kind}`, limit, 0, Number.MAX_SAFE_INTEGER);
  }
  return quotas;
}
