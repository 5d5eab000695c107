/**
 * A verb that takes as long as a test likes: the open of a guest's device whose back-end is held back. The thread that is in it parks, and runs a
 * device domain and a device that are inline, as within any command.
 */
import { DOM0, EmulatedHypervisor, XenbusState, type Xenstore } from '@openverbs/hypervisor';
import { Machine, type MachineHandle } from '@openverbs/machine';
import type { Device, OpenVerbs } from 'openverbs';

/** What is held back. Plain data, so that another thread may let it go. */
export interface HeldBack {
  readonly machine: unknown;
  /** State of the back-end in xenstore, and what it was. */
  readonly node: string;
  readonly state: string;
}

/** Opens that may time out, each after ten seconds. */
const OPENS_MAX = 54;

/** @param device - of a guest; when it is connected, the open connects it anew */
export function holdBack({ machine }: OpenVerbs, device: Device): HeldBack {
  const [domid, index] = device.name.slice('vib'.length).split('.');
  const node = `/local/domain/${DOM0}/backend/vib/${domid}/${index}/state`;
  return withXenstore(machine, (xenstore) => {
    const state = xenstore.read(node);
    xenstore.write(node, String(XenbusState.RECONFIGURING));
    return { machine, node, state };
  });
}

/** Is within this verb until another thread lets it go; only when that takes very long there are several. */
export function openHeldBack(device: Device): void {
  for (let opens = 1; ; opens++) {
    try {
      device.open().close();
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ETIMEDOUT' || opens === OPENS_MAX) throw error;
    }
  }
}

/** The back-end is what it was. */
export function letGo({ machine, node, state }: HeldBack): void {
  withXenstore(machine, (xenstore) => {
    xenstore.write(node, state);
  });
}

function withXenstore<T>(handle: unknown, use: (xenstore: Xenstore) => T): T {
  const machine = Machine.attach(handle as MachineHandle);
  const hypervisor = EmulatedHypervisor.join({ kind: 'openverbs-hypervisor', machine: machine.handle }, machine);
  try {
    return use(hypervisor.domain(DOM0).xenstore);
  } finally {
    hypervisor.close();
    machine.detach();
  }
}
