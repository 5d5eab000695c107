/**
 * Address handles (AHs): where the datagrams of a PD can go.
 *
 * An entry holds what each datagram needs of its address vector, resolved once: the port at the other end of the link, and a
 * template of the header that the receiver finds in front of the message.
 */
import type { Machine } from '@openverbs/machine';
import { VendorErr } from '@openverbs/verbs/rings';
import { DeviceError } from './device-error.ts';
import type { Engine } from './engine.ts';
import { isIpv4Mapped, makeGrh } from './grh.ts';
import type { Hca } from './hca.ts';
import { Ah, HcaHeader, Qpc } from './layout.ts';
import { AHS_MAX } from './limits.ts';
import type { AddressVector } from './modify-qp.ts';

const { HANDLE, PD, PORT } = Ah;
const AH_WORDS = Ah.WORDS;
const { BAD_AH, AH_PD_MISMATCH, AH_PORT_MISMATCH } = VendorErr;
const VARIANT_MAX = 255;

/** {@link Ah.REMOTE_PORT_ID} of a multicast group, and of an address that no port has. */
export const MULTICAST = -2;
export const NOWHERE = -1;

/** Looks address handles up for datagrams. Hot. */
export class AddressHandles {
  readonly #i32: Int32Array;
  /** Word index of the entry that was found last. */
  entry = 0;

  constructor(machine: Machine) {
    this.#i32 = machine.i32;
  }

  /** Finds the address handle of a datagram of the QP at `q`. Answers 0, or the vendor error that says why it can't be used. */
  find(q: number, handle: number): number {
    const i32 = this.#i32;
    const index = handle >>> 8;
    const entry = i32[i32[q + Qpc.HCA] + HcaHeader.AH_TABLE] + index * AH_WORDS;
    if (index >= AHS_MAX || handle === 0 || i32[entry + HANDLE] !== handle) return BAD_AH;
    if (i32[entry + PD] !== i32[q + Qpc.PD]) return AH_PD_MISMATCH;
    if (i32[entry + PORT] !== i32[q + Qpc.PORT]) return AH_PORT_MISMATCH;
    this.entry = entry;
    return 0;
  }
}

/** CREATE_AH: returns the handle. The lock must be held. */
export function createAh(engine: Engine, hca: Hca, uar: number, pd: number, av: AddressVector): number {
  const { i32, u8 } = engine.machine;
  checkAddress(hca, pd, av);
  hca.checkGidIndex(av.portNum, av.sgidIndex);
  const dgid = av.dgid!;
  const index = hca.ahs.alloc();
  if (index < 0) {
    throw new DeviceError('ENOMEM', `all ${AHS_MAX} address handles of the device are taken`, 'destroy some');
  }
  const entry = hca.ahTable + index * Ah.WORDS;
  const grh = makeGrh({ ...av, dgid, sgid: hca.gid(av.portNum, av.sgidIndex) });
  i32[entry + Ah.PD] = pd;
  i32[entry + Ah.UAR] = uar;
  i32[entry + Ah.PORT] = av.portNum;
  i32[entry + Ah.SL] = av.sl;
  u8.set(dgid, (entry + Ah.DGID) * 4);
  u8.set(grh, (entry + Ah.GRH) * 4);
  i32[entry + Ah.REMOTE_PORT_ID] = isMulticast(dgid) ? MULTICAST : remotePort(engine, entry);
  i32[entry + Ah.VARIANT] = (i32[entry + Ah.VARIANT] % VARIANT_MAX) + 1;
  const handle = (index << 8) | i32[entry + Ah.VARIANT];
  Atomics.store(i32, entry + Ah.HANDLE, handle);
  return handle;
}

/** Looks all addresses up again, after ports have got others. The lock must be held. */
export function resolveAhs(engine: Engine, hca: Hca): void {
  const { i32 } = engine.machine;
  for (let index = 0; index < hca.ahs.highWater; index++) {
    const entry = hca.ahTable + index * Ah.WORDS;
    if (i32[entry + Ah.HANDLE] === 0 || i32[entry + Ah.REMOTE_PORT_ID] === MULTICAST) continue;
    i32[entry + Ah.REMOTE_PORT_ID] = remotePort(engine, entry);
  }
}

function remotePort(engine: Engine, entry: number): number {
  return engine.link.lookup(engine.machine.i32.subarray(entry + Ah.DGID, entry + Ah.DGID + 4));
}

/** DESTROY_AH: datagrams that name it fail from now on. The lock must be held. */
export function destroyAh(engine: Engine, hca: Hca, handle: number): void {
  const entry = hca.ahTable + (handle >>> 8) * Ah.WORDS;
  if (handle === 0 || handle >>> 8 >= AHS_MAX || engine.machine.i32[entry + Ah.HANDLE] !== handle) {
    throw new DeviceError('EINVAL', `there is no address handle ${handle}`);
  }
  freeAh(engine, hca, entry);
}

/** Takes an address handle out of the table. */
export function freeAh(engine: Engine, hca: Hca, entry: number): void {
  Atomics.store(engine.machine.i32, entry + Ah.HANDLE, 0);
  hca.ahs.free((entry - hca.ahTable) / Ah.WORDS);
}

/** ff00::/8, or an IPv4 group that is mapped into IPv6. */
export function isMulticast(gid: Uint8Array): boolean {
  return gid[0] === 0xff || (isIpv4Mapped(gid) && (gid[12] & 0xf0) === 0xe0);
}

function checkAddress(hca: Hca, pd: number, av: AddressVector): void {
  if (pd === 0 || !hca.pds.isUsed(pd)) throw new DeviceError('EINVAL', `there is no protection domain ${pd}`);
  if (!Number.isInteger(av.portNum) || av.portNum < 1 || av.portNum > hca.ports) {
    throw new DeviceError('EINVAL', `the device has ports 1 to ${hca.ports}, not ${av.portNum}`);
  }
  if (av.dgid === null) throw new DeviceError('EINVAL', 'RoCE has no address without a global route', 'set grh.dgid');
}
