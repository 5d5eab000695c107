/**
 * What is one for all guests, and the share that each gets of it: so little that all guests, each at its quota, leave some to programs of the device
 * domain itself and beside the guests. Who is told of the device is told of the share, as a virtual function tells of its own.
 */
import type { DomainMemory } from '@openverbs/hypervisor';
import { XEN_PAGE_BYTES } from '@openverbs/hypervisor';
import type { Device, DeviceAttr } from '@openverbs/verbs';
import { VerbsError } from '@openverbs/verbs';
import { CQE_BYTES } from '@openverbs/verbs/rings';
import { GUESTS_AT_QUOTA } from '../protocol/limits.ts';
import { QUOTAS } from './quota.ts';
import type { QuotaKind, QuotaLimits } from './quota.ts';

/** What no guest gets of anything. */
export const RESERVED_SHARE = 1 / 16;
/** What of the device domain's memory is for the queues of guests, and for the lists of their pages. */
const QUEUES_SHARE = 1 / 2;
const PAGE_LISTS_SHARE = 1 / 16;
/** A device keeps an address of each page of a region. */
const PAGE_ADDRESS_BYTES = 4;

/** A guest's share of what there is for all; never nothing. */
export function shareOf(limit: number): number {
  return Math.max(Math.floor((limit * (1 - RESERVED_SHARE)) / GUESTS_AT_QUOTA), 1);
}

/** How much there is of what guests share: what a device says of itself, and what the device domain has. */
export function sharedLimits(attr: DeviceAttr, memory: DomainMemory): Partial<QuotaLimits> {
  const bytes = memory.maxPages * XEN_PAGE_BYTES;
  // Regions and windows have one table where a device says the same of both.
  const isOneTable = attr.maxMr === attr.maxMw;
  return {
    pds: attr.maxPd,
    mrs: isOneTable ? attr.maxMr * (QUOTAS.mrs / (QUOTAS.mrs + QUOTAS.mws)) : attr.maxMr,
    mws: isOneTable ? attr.maxMw * (QUOTAS.mws / (QUOTAS.mrs + QUOTAS.mws)) : attr.maxMw,
    cqs: attr.maxCq,
    qps: attr.maxQp,
    srqs: attr.maxSrq,
    ahs: attr.maxAh,
    // One attachment may take a group, and all may be in the same.
    attachments: Math.min(attr.maxTotalMcastQpAttach, attr.maxMcastGrp, attr.maxMcastQpAttach),
    pages: (bytes * PAGE_LISTS_SHARE) / PAGE_ADDRESS_BYTES,
    pinnedRuns: memory.pinnedRunsMax,
    queueBytes: bytes * QUEUES_SHARE,
  };
}

/** What a guest gets of each kind when nobody says otherwise. A device that can't be asked, because it was pulled out, limits nothing. */
export function defaultQuotas(devices: readonly Device[], memory: DomainMemory): QuotaLimits {
  const limits: Record<QuotaKind, number> = { ...QUOTAS };
  for (const device of devices) {
    const attr = attrOf(device);
    if (attr === undefined) continue;
    for (const [kind, limit] of Object.entries(sharedLimits(attr, memory)) as [QuotaKind, number][]) {
      // A device says 0 of what it does not have, and of what it does not count.
      if (limit > 0) limits[kind] = Math.min(limits[kind], shareOf(limit));
    }
  }
  return limits;
}

/** What a guest is told of a device: no more than it may have of it. */
export function withinQuota(attr: DeviceAttr, limits: QuotaLimits, bypass: boolean): DeviceAttr {
  const least = Math.min;
  // The largest power of two for which there is room: so many entries are a ring's.
  const cqe = bypass ? Infinity : 2 ** Math.floor(Math.log2(Math.max(limits.queueBytes / CQE_BYTES - 1, 1)));
  return {
    ...attr,
    maxPd: least(attr.maxPd, limits.pds),
    maxMr: least(attr.maxMr, limits.mrs),
    maxMw: least(attr.maxMw, limits.mws),
    maxCq: least(attr.maxCq, limits.cqs),
    maxCqe: least(attr.maxCqe, cqe),
    maxQp: least(attr.maxQp, limits.qps),
    maxSrq: least(attr.maxSrq, limits.srqs),
    maxAh: least(attr.maxAh, limits.ahs),
    maxMcastGrp: least(attr.maxMcastGrp, limits.attachments),
    maxMcastQpAttach: least(attr.maxMcastQpAttach, limits.attachments),
    maxTotalMcastQpAttach: least(attr.maxTotalMcastQpAttach, limits.attachments),
  };
}

function attrOf(device: Device): DeviceAttr | undefined {
  try {
    const context = device.open();
    try {
      return context.queryDevice();
    } finally {
      context[Symbol.dispose]();
    }
  } catch (error) {
    if (!VerbsError.is(error)) throw error;
    return undefined;
  }
}
