/** Checks of the hypervisor without which nothing changes that anybody could notice. */
import type { Equivalents } from './equivalent.ts';

export const HYPERVISOR: Equivalents = {
  'packages/hypervisor/src/emulated/recovery.ts': [
    {
      fn: 'giveBackThread',
      text: 'i32[entry + Grant.FLAGS] !== 0',
      why: "It saves a walk through the mappings of all domains for each free entry that once was the thread's: a grant ends only when nothing is mapped by it, so none is found; 0 is stored where 0 is; and an entry that is free is not freed again.",
    },
  ],
  'packages/hypervisor/src/emulated/xenstore/changes.ts': [
    {
      fn: 'Changes.#setChild',
      text: 'parent === undefined',
      why: 'Only the type checker asks for it: parents are made before their children and removed after them, and the nodes that have none (the root and the special paths) are never made anew.',
    },
  ],
  'packages/hypervisor/src/emulated/xenstore/connection.ts': [
    {
      fn: 'XenstoreConnection.transaction',
      text: 'error instanceof HypervisorError',
      why: 'Only the type checker asks for it: no error but a HypervisorError has the code EAGAIN.',
    },
    {
      fn: 'ifReadable',
      text: 'error instanceof HypervisorError',
      why: 'Only the type checker asks for it: reading opens no file, so no error but a HypervisorError has one of the two codes.',
    },
  ],
  'packages/hypervisor/src/emulated/xenstore/replica.ts': [
    {
      fn: 'Replica.#delete',
      text: 'node === undefined',
      why: 'Only the type checker asks for it: a record that deletes a node is written only for one that is there, with the lock held, and every copy applies the same records in the same order.',
    },
  ],
  'packages/hypervisor/src/xenbus-state.ts': [
    {
      fn: 'parseXenbusState',
      text: 'value === undefined',
      why: "Only the type checker asks for it: what is missing is tried as the text 'undefined', which is no digit.",
    },
  ],
};
