/**
 * Cuts an action off in the middle, as the termination of its thread does.
 *
 * V8 ends a terminated thread where a function begins or a loop turns. Here each call of a method of the tables, the allocators and the log
 * is such a place, each store of an allocator among them: the n-th one throws instead, and another thread goes on.
 */
import { IndexAllocator, Machine, PageAllocator } from '@openverbs/machine';
import { EmulatedHypervisor } from '../../src/index.ts';
import type { Domain } from '../../src/index.ts';
import { HvHeader } from '../../src/emulated/layout.ts';
import { findTables, Tables } from '../../src/emulated/tables.ts';
import { StoreLog } from '../../src/emulated/xenstore/log.ts';
import { Replica } from '../../src/emulated/xenstore/replica.ts';
import { testbed } from './testbed.ts';
import type { Testbed } from './testbed.ts';

const PARTS: { readonly prototype: object }[] = [IndexAllocator, PageAllocator, Tables, StoreLog, Replica];
const LIMITS = {
  grantsMax: 64,
  mappingsMax: 32,
  portsMax: 16,
  pinnedRunsMax: 16,
  domainsMax: 6,
  xenstoreBytesMax: 65536,
};

class Cut extends Error {}

type Method = (this: unknown, ...args: unknown[]) => unknown;

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
  let calls = 0;
  let dead = false;
  const restore = PARTS.map(({ prototype }) =>
    hookAll(prototype, () => {
      if (dead || calls++ !== n) return;
      dead = true;
      throw new Cut();
    }),
  );
  try {
    action();
  } catch (error) {
    if (!(error instanceof Cut)) throw error;
  } finally {
    for (const undo of restore) undo();
  }
  takeOver(bed, victimMachine);
  return dead;
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

/** Puts `before` in front of every method of a prototype; accessors stay as they are. */
function hookAll(prototype: object, before: () => void): () => void {
  const undo: (() => void)[] = [];
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === 'constructor' || typeof property.value !== 'function') continue;
    const original = property.value as Method;
    const hooked: Method = function (...args) {
      before();
      return original.apply(this, args);
    };
    Object.defineProperty(prototype, name, { ...property, value: hooked });
    undo.push(() => {
      Object.defineProperty(prototype, name, property);
    });
  }
  return () => {
    for (const restore of undo) restore();
  };
}
