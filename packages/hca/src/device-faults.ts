/**
 * What can happen to hardware: ports that go down, addresses that change, queue pairs and devices that fail, devices that are pulled
 * out. Tests of programs cause it; nothing here is called otherwise.
 *
 * Each stores the one word that says what is so, then makes the rest follow from it, which {@link settleFaults} does again after a
 * thread died in between.
 */
import { portId } from '@openverbs/netdev';
import { resolveAhs } from './address-handles.ts';
import { AsyncEvent } from './async-event.ts';
import { Count } from './counters.ts';
import { DeviceError } from './device-error.ts';
import type { Engine } from './engine.ts';
import type { Hca } from './hca.ts';
import { HcaHeader, HcaState, Qpc, QpcState, UarControl } from './layout.ts';
import { UARS_MAX } from './limits.ts';
import { servicePkey } from './pkey.ts';
import { qps } from './table-entries.ts';
import { isPortUp, resolvePeer } from './resolve-peer.ts';

/** Takes a port down or up: PORT_ERR or PORT_ACTIVE to every context, unless it is so already. */
export function setPortDown(engine: Engine, hca: Hca, port: number, down: boolean): void {
  engine.command(() => {
    hca.checkPort(port);
    assertAlive(engine, hca);
    const { i32 } = engine.machine;
    if (isPortUp(i32, hca.header, port) === !down) return;
    i32[hca.header + HcaHeader.PORTS_DOWN] ^= 1 << (port - 1);
    if (down) engine.counters.addTo(hca.header, port, Count.LINK_DOWNED);
    resolveAll(engine);
    tellContexts(engine, hca, down ? AsyncEvent.PORT_ERR : AsyncEvent.PORT_ACTIVE, port);
  });
}

/** Gives a port another address in the place of one that it has: GID_CHANGE to every context. */
export function setGid(engine: Engine, hca: Hca, port: number, index: number, gid: Uint8Array): void {
  engine.command(() => {
    assertAlive(engine, hca);
    hca.checkGidIndex(port, index);
    const { link } = engine;
    const words = new Int32Array(Uint8Array.from(gid).buffer);
    const owner = link.lookupAddress(words);
    if (owner === portId(hca.index, port, index)) return;
    if (owner >= 0) throw new DeviceError('EINVAL', 'another port, or another index of this one, has this GID');
    link.detachAddress(portId(hca.index, port, index));
    hca.storeGid(port, index, words);
    link.attach(words, portId(hca.index, port), index);
    resolveAll(engine);
    tellContexts(engine, hca, AsyncEvent.GID_CHANGE, port);
  });
}

/** Gives a port another P_Key in the place of one that it has: PKEY_CHANGE to every context (man ibv_get_async_event). */
export function setPkey(engine: Engine, hca: Hca, port: number, index: number, pkey: number): void {
  engine.command(() => {
    assertAlive(engine, hca);
    hca.checkPkeyIndex(port, index);
    if (pkey !== (pkey & 0xffff)) throw new DeviceError('EINVAL', `a P_Key has 16 bits, and is not ${pkey}`);
    if (hca.pkey(port, index) === pkey) return;
    hca.storePkey(port, index, pkey);
    refreshPkeys(engine, hca);
    tellContexts(engine, hca, AsyncEvent.PKEY_CHANGE, port);
  });
}

/** Has a QP fail by itself: QP_FATAL, and everything outstanding is flushed (IBTA 11.6.3.2). */
export function failQp(engine: Engine, q: number): void {
  engine.states.fail(q, AsyncEvent.QP_FATAL);
}

/** Has the device fail: all QPs are in error, DEVICE_FATAL to every context, and it takes no command but those that end objects. */
export function failDevice(engine: Engine, hca: Hca): void {
  engine.command(() => {
    end(engine, hca, HcaState.FATAL);
  });
}

/** Pulls the device out: as a failure, and its addresses are gone, too. */
export function removeDevice(engine: Engine, hca: Hca): void {
  engine.command(() => {
    end(engine, hca, HcaState.REMOVED);
  });
}

/** Whether nobody can open the device any more, or list it. */
export function isRemoved(engine: Engine, hca: Hca): boolean {
  return Atomics.load(engine.machine.i32, hca.header + HcaHeader.STATE) === HcaState.REMOVED;
}

/** Refuses a command to a device that has failed. */
export function assertAlive(engine: Engine, hca: Hca): void {
  const state = Atomics.load(engine.machine.i32, hca.header + HcaHeader.STATE);
  if (state === HcaState.UP) return;
  const what = state === HcaState.REMOVED ? 'was removed' : 'has failed';
  throw new DeviceError('EIO', `the device ${hca.name} ${what}`, 'close the context: ending its objects still works');
}

/** After a thread died in the middle of one of the above. */
export function settleFaults(engine: Engine): void {
  const { i32 } = engine.machine;
  for (const hca of engine.hcas) if (i32[hca.header + HcaHeader.STATE] !== HcaState.UP) settleEnd(engine, hca);
  for (const hca of engine.hcas) refreshPkeys(engine, hca);
  resolveAll(engine);
}

function end(engine: Engine, hca: Hca, state: number): void {
  const { i32 } = engine.machine;
  const before = i32[hca.header + HcaHeader.STATE];
  if (before === state || before === HcaState.REMOVED) return;
  i32[hca.header + HcaHeader.STATE] = state;
  if (before === HcaState.UP) tellContexts(engine, hca, AsyncEvent.DEVICE_FATAL, 0);
  settleEnd(engine, hca);
  resolveAll(engine);
}

function settleEnd(engine: Engine, hca: Hca): void {
  const { i32 } = engine.machine;
  if (isRemoved(engine, hca)) for (let port = 1; port <= hca.ports; port++) engine.link.detach(portId(hca.index, port));
  for (const q of qps(i32, hca)) if (i32[q + Qpc.STATE] !== QpcState.ERR) engine.states.fail(q, -1);
}

/** What the QPs that have a P_Key keep of the table. */
function refreshPkeys(engine: Engine, hca: Hca): void {
  const { i32 } = engine.machine;
  for (const q of qps(i32, hca)) {
    if (i32[q + Qpc.SERVICE_PKEY] === 0) continue;
    i32[q + Qpc.SERVICE_PKEY] = servicePkey(i32[q + Qpc.TYPE], hca.pkey(i32[q + Qpc.PORT], i32[q + Qpc.PKEY_INDEX]));
  }
}

/** Whom every QP of the machine talks to. */
function resolveAll(engine: Engine): void {
  const { i32 } = engine.machine;
  for (const hca of engine.hcas) {
    for (const q of qps(i32, hca)) if (i32[q + Qpc.STATE] >= QpcState.RTR) resolvePeer(engine, hca, q);
    resolveAhs(engine, hca);
  }
}

function tellContexts(engine: Engine, hca: Hca, type: number, id: number): void {
  const { i32 } = engine.machine;
  const table = engine.uars.control(0);
  for (let uar = 1; uar < UARS_MAX; uar++) {
    const control = table + uar * UarControl.WORDS;
    if (i32[control + UarControl.PAGE] === 0 || i32[control + UarControl.HCA] !== hca.index) continue;
    engine.events.raise(i32[control + UarControl.EQ], type, id, hca.header);
  }
}
