/** What the toolstack does to give a guest a device: makes the directories of both ends, with their permissions. */
import type { Xenstore } from '@openverbs/hypervisor';
import { DOM0, XenbusState } from '@openverbs/hypervisor';
import { backendPath, frontendPath, ShareKey, ToolstackKey } from './protocol/handshake.ts';

/** What a guest gets of a device. */
export interface Share {
  /** Share among the guests that want the device, from 1. */
  readonly weight: number;
  /** Bytes a second; 0 for no limit. Only what goes through the back-end is limited. */
  readonly rateBytesPerS: number;
  /** Bytes at once on top; 0 for a hundredth of a second's. */
  readonly burstBytes: number;
}

/** A device for a guest. */
export interface DeviceInit extends Share {
  readonly domid: number;
  /** Number of the device in the guest. */
  readonly index: number;
  /** The lower device. */
  readonly device: string;
  readonly mode: 'basic' | 'bypass';
}

/** Gives a guest a device; returns the front-end's directory. */
export function attachDevice(xenstore: Xenstore, { domid, index, device, mode, ...share }: DeviceInit): string {
  const front = frontendPath(domid, index);
  const back = backendPath(DOM0, domid, index);
  const state = String(XenbusState.INITIALISING);
  xenstore.transaction((transaction) => {
    const write = (directory: string, entries: Readonly<Record<string, string>>): void => {
      for (const [name, value] of Object.entries(entries)) xenstore.write(`${directory}/${name}`, value, transaction);
    };
    xenstore.mkdir(front, transaction);
    xenstore.mkdir(back, transaction);
    xenstore.setPermissions(
      front,
      [
        { domid, access: 'n' },
        { domid: DOM0, access: 'r' },
      ],
      transaction,
    );
    xenstore.setPermissions(
      back,
      [
        { domid: DOM0, access: 'n' },
        { domid, access: 'r' },
      ],
      transaction,
    );
    const { BACKEND, BACKEND_ID, FRONTEND, FRONTEND_ID, MODE, DEVICE, STATE } = ToolstackKey;
    write(front, { [BACKEND]: back, [BACKEND_ID]: String(DOM0), [MODE]: mode, [STATE]: state });
    write(back, { [FRONTEND]: front, [FRONTEND_ID]: String(domid), [MODE]: mode, [DEVICE]: device, [STATE]: state });
    write(back, sharesOf(share));
  });
  return front;
}

/** Changes what a guest gets, while it runs. */
export function setShare(xenstore: Xenstore, domid: number, index: number, share: Share): void {
  const back = backendPath(DOM0, domid, index);
  xenstore.transaction((transaction) => {
    for (const [name, value] of Object.entries(sharesOf(share))) xenstore.write(`${back}/${name}`, value, transaction);
  });
}

function sharesOf({ weight, rateBytesPerS, burstBytes }: Share): Record<string, string> {
  return {
    [ShareKey.WEIGHT]: String(weight),
    [ShareKey.RATE]: String(rateBytesPerS),
    [ShareKey.BURST]: String(burstBytes),
  };
}
