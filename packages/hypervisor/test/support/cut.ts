/**
 * Cuts an action off in the middle, as the termination of its thread does; another thread goes on. The tables, the allocators and the log
 * are the places, each store of an allocator among them.
 */
import { IndexAllocator, Machine, PageAllocator } from '@openverbs/machine';
import { cutAtCall } from '@openverbs/machine/testing';
import type { Part } from '@openverbs/machine/testing';
import { EmulatedHypervisor } from '../../src/index.ts';
import type { Domain } from '../../src/index.ts';
import { HvHeader } from '../../src/emulated/layout.ts';
import { findTables, Tables } from '../../src/emulated/tables.ts';
import { StoreLog } from '../../src/emulated/xenstore/log.ts';
import { Replica } from '../../src/emulated/xenstore/replica.ts';
import { testbed } from './testbed.ts';
import type { Testbed } from './testbed.ts';

const PARTS: readonly Part[] = [IndexAllocator, PageAllocator, Tables, StoreLog, Replica];
const LIMITS = {
  grantsMax: 64,
  mappingsMax: 32,
  portsMax: 16,
  pinnedRunsMax: 16,
  domainsMax: 6,
  xenstoreBytesMax: 65536,
};

/** Two threads' views: that of the victim, which acts, and that of the survivor, which the testbed has. */
export interface World {
  readonly bed: Testbed;
  readonly victim: { readonly hypervisor: EmulatedHypervisor; readonly dom0: Domain; readonly guest: Domain };
  readonly victimMachine: Machine;
}

export function world(): World {
  const bed = testbed(LIMITS, 8 * 2 ** 20);
  const victimMachine = Machine.attach(bed.machine.handle);
  const hypervisor = EmulatedHypervisor.join(bed.hypervisor.handle, victimMachine);
  const domid = hypervisor.createDomain({ name: 'victim', memoryBytes: 2 ** 20 });
  return { bed, victimMachine, victim: { hypervisor, dom0: hypervisor.domain(0), guest: hypervisor.domain(domid) } };
}

/**
 * Runs an action of the victim up to the n-th call, then lets it die and the survivor clean up.
 *
 * @returns whether it was cut off; false when it was run to its end, and the victim died after it
 */
export function cutOff({ bed, victimMachine }: World, n: number, action: () => void): boolean {
  const wasCut = cutAtCall(PARTS, n, action);
  takeOver(bed, victimMachine);
  return wasCut;
}

/** What happens when the survivor takes the lock from the victim. */
function takeOver({ machine, hypervisor }: Testbed, victim: Machine): void {
  if (victim.lock.isHeld) victim.lock.release();
  machine.pages.rebuild();
  machine.threads.declareDead(victim.threadIndex);
  // As if the count of takeovers had grown.
  machine.i32[findTables(machine).header + HvHeader.TAKEOVERS]--;
  hypervisor.reap();
}
