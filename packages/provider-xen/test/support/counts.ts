/** Counts of everything that guests could leave behind. */
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
  /** The lower device. */
  readonly hca: Engine['hcas'][number];
}

export function countsOf({ machine, hypervisor, toolstack, hca }: Counted): Record<string, number> {
  const { qps, cqs, srqs, xrcds, mpts, pds, ahs } = hca;
  const tables = Object.entries({ qps, cqs, srqs, xrcds, mpts, pds, ahs });
  return {
    ...Object.fromEntries(tables.map(([name, table]) => [name, table.inUse])),
    bytes: machine.pages.stats().usedBytes,
    domains: hypervisor.domains().length,
    ports: freePorts(toolstack),
    watched: toolstack.xenstore.directory('/local/domain/0/backend/vib').length,
  };
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
