/**
 * Registers tests that terminate the threads of guests in the middle of anything: the device domain takes back all that they had, and
 * the honest guest beside them sees every byte right.
 */
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { Engine, reap } from '@openverbs/hca';
import { DOM0, EmulatedHypervisor, type EventChannels } from '@openverbs/hypervisor';
import { hostClock, Machine, type MachineHandle, Xoshiro128 } from '@openverbs/machine';
import { expect } from 'chai';
import { openVerbs, type Device, type OpenVerbs } from 'openverbs';
import { holdBack, openHeldBack } from '../conformance/held-back.ts';
import { Traffic } from '../two-threads/traffic.ts';
import { Lane, sacrificeAll } from './lane.ts';
import type { XenKillerData } from './xen-killer.ts';

/** Where the device domain and the device run. */
export interface Placements {
  readonly dom0: 'inline' | 'thread';
  readonly device: 'inline' | 'thread';
  /** What the main thread does meanwhile: it is within one verb all the time, or calls one after the other, or is in its event loop between them. */
  readonly main: 'in one verb' | 'in verbs' | 'in its event loop';
}

/** A machine that has twenty times as much to do as it can needs ten seconds for a victim; one that hangs is seen nevertheless. */
const TIMEOUT_MS = 300_000;
const VICTIMS_A_TEST = 5;
/** As many at a time: one starts while another one dies. */
const LANES = 2;
/** Between two rounds of traffic the processors are for the victims. */
const PAUSE_MS = 1;
/** Far more than the victims of a test take. */
const RUN_MS_MAX = 200_000;
/** The device domain learns of a death a little later. */
const RECLAIM_MS_MAX = 60_000;
const BACKENDS = '/local/domain/0/backend/vib';

/** Everything that a guest could leave behind. */
function counts(handle: unknown): Record<string, number> {
  const machine = Machine.attach(handle as MachineHandle);
  try {
    const engine = new Engine(machine, 'inline', hostClock);
    reap(engine);
    const hypervisor = EmulatedHypervisor.join({ kind: 'openverbs-hypervisor', machine: machine.handle }, machine);
    const dom0 = hypervisor.domain(DOM0);
    const objects = engine.hcas.flatMap(({ qps, cqs, srqs, xrcds, mpts, pds, ahs }, hca) =>
      Object.entries({ qps, cqs, srqs, xrcds, mpts, pds, ahs }).map(([name, table]) => [`${name} ${hca}`, table.inUse]),
    );
    const found = {
      ...(Object.fromEntries(objects) as Record<string, number>),
      bytes: machine.pages.stats().usedBytes,
      domains: hypervisor.domains().length,
      freePorts: freePorts(dom0.eventChannels),
      frontEnds: dom0.xenstore.directory(BACKENDS).length,
    };
    dom0.close();
    return found;
  } finally {
    machine.detach();
  }
}

function freePorts(eventChannels: EventChannels): number {
  const ports: number[] = [];
  try {
    for (;;) ports.push(eventChannels.allocUnbound(DOM0));
  } catch {
    for (const port of ports.reverse()) eventChannels.close(port);
    return ports.length;
  }
}

/** Registers the tests of one mix of placements, with so many victims in all. */
export function describeKilledGuests({ dom0, device, main }: Placements, victims: number): void {
  const where = `device domain ${dom0}, device ${device}, the main thread ${main}`;
  describe(`${victims} guests whose threads are terminated, ${where}`, function () {
    this.timeout(TIMEOUT_MS);
    const seed = (Math.random() * 2 ** 32) >>> 0;
    const prng = new Xoshiro128(seed);
    let verbs: OpenVerbs;
    let traffic: Traffic;
    let lanes: Lane[];
    /** What there is before any of them. */
    let present: Record<string, number>;

    before(() => {
      verbs = openVerbs({
        provider: 'xen:bypass',
        xen: { placement: dom0, guests: 2 },
        emulated: { devices: 2, placement: device },
      });
      traffic = new Traffic(verbs, seed);
      lanes = Array.from(
        { length: LANES },
        () => new Lane(verbs.device(), verbs.machine, prng.fork(), 'xen-victim.js'),
      );
      blockingOf(verbs).open().close();
      takeTables(verbs.machine);
      present = counts(verbs.machine);
    });

    after(() => {
      for (const lane of lanes) lane.close();
      traffic.close();
      verbs.close();
    });

    const sacrifice = (count: number): Promise<void> =>
      sacrificeAll(lanes, count, seed, () => {
        traffic.play();
      });

    for (let done = 0; done < victims; done += VICTIMS_A_TEST) {
      const count = Math.min(VICTIMS_A_TEST, victims - done);
      it(`up to ${done + count} of them, and nothing of theirs is left`, async () => {
        if (main === 'in its event loop') await sacrifice(count);
        else await stayInVerbs(verbs, traffic, { main, seed: prng.nextUint32(), victims: count });
        await untilReclaimed(verbs.machine, present);
        traffic.play();
      });
    }
  });
}

/** Has another thread sacrifice so many, and is within one verb meanwhile, or has traffic and commands: each also runs a device domain that is inline. */
async function stayInVerbs(
  verbs: OpenVerbs,
  traffic: Traffic,
  { main, seed, victims }: Pick<Placements, 'main'> & { readonly seed: number; readonly victims: number },
): Promise<void> {
  const done = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const blocking = blockingOf(verbs);
  const heldBack = main === 'in one verb' ? holdBack(verbs, blocking) : undefined;
  const workerData: XenKillerData = { machine: verbs.machine, seed, victims, done, heldBack, port: port2 };
  const worker = new Worker(new URL('xen-killer.js', import.meta.url), { workerData, transferList: [port2] });
  const exit = once(worker, 'exit');
  if (heldBack !== undefined) openHeldBack(blocking);
  const context = verbs.device().open();
  const deadlineMs = performance.now() + RUN_MS_MAX;
  while (Atomics.load(done, 0) === 0 && performance.now() < deadlineMs) {
    traffic.play();
    context.queryPort(1);
    Atomics.wait(done, 0, 0, PAUSE_MS);
  }
  context.close();
  if (Atomics.load(done, 0) === 0) await worker.terminate();
  await exit;
  const said = receiveMessageOnPort(port1) as { readonly message: string[] } | undefined;
  port1.close();
  expect(said?.message, `seed ${seed}`).to.deep.equal([]);
}

/** A device that has no traffic, for the main thread to be within its open. */
function blockingOf({ devices }: OpenVerbs): Device {
  return devices.at(-2)!;
}

/** A slot of the table of domains keeps its tables: whoever has it next finds them there. */
function takeTables(handle: unknown): void {
  const machine = Machine.attach(handle as MachineHandle);
  try {
    const hypervisor = EmulatedHypervisor.join({ kind: 'openverbs-hypervisor', machine: machine.handle }, machine);
    const domids = Array.from({ length: LANES + 2 }, () =>
      hypervisor.createDomain({ name: 'spare', memoryBytes: 4096 }),
    );
    for (const domid of domids) hypervisor.destroyDomain(domid);
  } finally {
    machine.detach();
  }
}

/** No verb is called meanwhile: the device domain finds out by itself. */
async function untilReclaimed(machine: unknown, present: Record<string, number>): Promise<void> {
  const deadlineMs = performance.now() + RECLAIM_MS_MAX;
  for (;;) {
    const found = counts(machine);
    if (JSON.stringify(found) === JSON.stringify(present)) return;
    if (performance.now() > deadlineMs) expect(found).to.deep.equal(present);
    await setTimeout(20);
  }
}
