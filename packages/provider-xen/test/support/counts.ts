/** Counts of everything that guests could leave behind. */
import { limits } from '@openverbs/hca';
import type { Engine } from '@openverbs/hca';
import { DOM0 } from '@openverbs/hypervisor';
import type { Domain, EmulatedHypervisor } from '@openverbs/hypervisor';
import type { Machine } from '@openverbs/machine';

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
    grants: toolstack.grantTable.inUse,
    ports: freePorts(toolstack),
    watched: toolstack.xenstore.directory('/local/domain/0/backend/vib').length,
  };
}

function uarsInUse({ uars }: Engine): number {
  return Array.from({ length: limits.UARS_MAX }, (_, uar) => uars.pageOf(uar)).filter((page) => page !== 0).length;
}

function freePorts({ eventChannels }: Domain): number {
  const ports: number[] = [];
  try {
    for (;;) ports.push(eventChannels.allocUnbound(DOM0));
  } catch {
    for (const port of ports.reverse()) eventChannels.close(port);
    return ports.length;
  }
}
