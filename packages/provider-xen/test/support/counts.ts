/** Counts of everything that guests could leave behind. */
import { existsSync, readdirSync } from 'node:fs';
import { HcaHeader, limits, Mcast } from '@openverbs/hca';
import type { Engine } from '@openverbs/hca';
import { DOM0 } from '@openverbs/hypervisor';
import type { Domain, EmulatedHypervisor } from '@openverbs/hypervisor';
import type { Machine } from '@openverbs/machine';

const OPEN_FILES = '/proc/self/fd';

/** Where it is counted. */
export interface Counted {
  readonly machine: Machine;
  readonly hypervisor: EmulatedHypervisor;
  /** A handle of dom0. */
  readonly toolstack: Domain;
  /** What executes the lower device. */
  readonly engine: Engine;
}

export function countsOf({ machine, hypervisor, toolstack, engine }: Counted): Record<string, number> {
  const [hca] = engine.hcas;
  const { qps, cqs, srqs, xrcds, mpts, pds, ahs } = hca;
  const tables = Object.entries({ qps, cqs, srqs, xrcds, mpts, pds, ahs });
  return {
    ...Object.fromEntries(tables.map(([name, table]) => [name, table.inUse])),
    bytes: machine.pages.stats().usedBytes,
    domains: hypervisor.domains().length,
    uars: uarsInUse(engine),
    attachments: attachmentsOf(machine.i32, hca),
    ...hypervisor.usageOf(DOM0),
    watched: toolstack.xenstore.directory('/local/domain/0/backend/vib').length,
  };
}

function uarsInUse({ uars }: Engine): number {
  return Array.from({ length: limits.UARS_MAX }, (_, uar) => uars.pageOf(uar)).filter((page) => page !== 0).length;
}

/** Queue pairs in multicast groups. */
function attachmentsOf(i32: Int32Array, hca: Engine['hcas'][number]): number {
  const table = i32[hca.header + HcaHeader.MCAST_TABLE];
  let count = 0;
  for (let n = 0; n < limits.MCAST_ATTACHMENTS_MAX; n++) if (i32[table + n * Mcast.WORDS + Mcast.QP] !== 0) count++;
  return count;
}

/** Open files of this process, where the system shows them; those of its other threads are among them. */
export function openFiles(): number {
  return existsSync(OPEN_FILES) ? readdirSync(OPEN_FILES).length : 0;
}
