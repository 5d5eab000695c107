/** What can happen to hardware, at will. */
import { Gid, VerbsError } from '@openverbs/verbs';
import type { Device, QueuePair } from '@openverbs/verbs';
import type { DeviceFaults } from '@openverbs/verbs/driver';

import { announceRemoval } from '../shared-instance.ts';

/**
 * Takes a port of a device down, or up again. Every context has the event PORT_ERR or PORT_ACTIVE. What is sent over a port that is
 * down is lost: a reliable connection sends again until its retries run out, and goes on if the port is up before that.
 *
 * @throws VerbsError EOPNOTSUPP if the device can't, EINVAL if it has no such port, EIO if it has failed.
 *
 * @example
 * ```ts
 * import { openVerbs, PortState } from 'openverbs';
 * import { setPort } from 'openverbs/testing';
 *
 * using verbs = openVerbs();
 * using context = verbs.device().open();
 * setPort(verbs.device(), 1, 'down');
 * console.log(context.queryPort(1).state === PortState.DOWN, context.tryGetAsyncEvent()?.toString());
 * ```
 */
export function setPort(device: Device, port: number, state: 'up' | 'down'): void {
  if (state !== 'up' && state !== 'down') {
    throw new VerbsError({ code: 'EINVAL', verb: 'setPort', message: `state is ${String(state)}, not 'up' or 'down'` });
  }
  faultsOf(device).setPort(port, state === 'up');
}

/**
 * Gives a port another address in the place of the one at `index`. Every context has the event GID_CHANGE; connections to the old
 * address get no answer any more.
 *
 * @throws VerbsError EOPNOTSUPP if the device can't, EINVAL for a port, an index or an address that is wrong or taken.
 */
export function setGid(device: Device, port: number, index: number, gid: Gid | string): void {
  const address = typeof gid === 'string' ? Gid.parse(gid) : gid;
  if (address.isZero || address.isMulticast) {
    throw new VerbsError({ code: 'EINVAL', verb: 'setGid', message: `${address.toString()} is no address of a port` });
  }
  faultsOf(device).setGid(port, index, address);
}

/**
 * Gives a port another P_Key in the place of the one at `index`, as a subnet manager does. Every context has the event PKEY_CHANGE; queue
 * pairs of that index have the new P_Key at once, and lose their peers unless these are in its partition.
 *
 * @throws VerbsError EOPNOTSUPP if the device can't, EINVAL for a port, an index or a P_Key that is none.
 */
export function setPkey(device: Device, port: number, index: number, pkey: number): void {
  faultsOf(device).setPkey(port, index, pkey);
}

/**
 * Has a queue pair fail: event QP_FATAL, state ERR, everything outstanding is flushed.
 *
 * @throws VerbsError EOPNOTSUPP if the device can't, EINVAL if the queue pair has ended.
 */
export function failQp(qp: QueuePair): void {
  if (qp.destroyed) {
    throw new VerbsError({ code: 'EINVAL', verb: 'failQp', message: `${qp.label} is already destroyed` });
  }
  faultsOf(qp.context.device).failQp(qp.handle);
}

/**
 * Has a device fail for good: event DEVICE_FATAL, all of its queue pairs in ERR, and every verb that reaches the device throws EIO,
 * but for those that end objects.
 *
 * @throws VerbsError EOPNOTSUPP if the device can't.
 */
export function failDevice(device: Device): void {
  faultsOf(device).failDevice();
}

/**
 * Pulls a device out: it fails, can't be opened any more (ENODEV), and an `openVerbs()` that joins the machine later does not list
 * it. Contexts are closed as always. Clients of kernel level are told before it goes, as `ib_unregister_device` does.
 *
 * @throws VerbsError EOPNOTSUPP if the device can't.
 */
export function removeDevice(device: Device): void {
  const faults = faultsOf(device);
  announceRemoval(device);
  faults.removeDevice();
}

function faultsOf(device: Device): DeviceFaults {
  const { faults } = device;
  if (faults !== undefined) return faults;
  const message = `${device.name} of provider ${device.provider} can't be made to fail`;
  throw new VerbsError({ code: 'EOPNOTSUPP', verb: 'openverbs/testing', message, hint: "use the provider 'emulated'" });
}
