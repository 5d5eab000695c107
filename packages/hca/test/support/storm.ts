/** What the threads of the kill tests do, until they are terminated: as much as they can, with everything the device has. */
import { parentPort, workerData } from 'node:worker_threads';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { QpcState } from '../../src/layout.ts';
import { Opcode } from '../../src/opcode.ts';
import { Testbed } from './testbed.ts';
import type { TestQp } from './test-qp.ts';

export type StormRole = 'post' | 'command';

const { handle, role } = workerData as { handle: MachineHandle; role: StormRole };

/** Posts to a pair of its own, lets its CQ overrun now and then, and takes over the doorbells of others. */
function post(bed: Testbed): never {
  const from = bed.region(512);
  const to = bed.pagedRegion(9000, 3);
  for (;;) {
    const pair = bed.pair({ sqLog2Count: 5, rqLog2Count: 5, sendCq: bed.cq(5) });
    for (let round = 0; round < 50; round++) postRound(pair, from.sge(0, 300), to);
    for (const qp of pair) qp.destroy();
  }
}

function postRound(
  [a, b]: readonly TestQp[],
  sge: { addr: bigint; length: number; key: number },
  to: ReturnType<Testbed['pagedRegion']>,
): void {
  for (let n = 0; n < 4; n++) {
    b.recv([to.sge(4000, 400)]);
    a.writeSend({ sges: [sge] });
    a.writeSend({ opcode: Opcode.RDMA_WRITE, sges: [sge, sge], ...to.at(4000), flags: 0 });
    a.writeSend({ opcode: Opcode.ATOMIC_FETCH_AND_ADD, sges: [{ ...sge, length: 8 }], compareAdd: 1n, ...to.at(5) });
  }
  a.ring();
  a.sendCq.poll();
}

/** Makes and destroys one of everything. */
function command(bed: Testbed): never {
  for (;;) {
    const region = bed.pagedRegion(9000, 3);
    const cq = bed.cq(3);
    const qp = bed.qp({ sendCq: cq });
    bed.connect(qp, qp);
    qp.send({ opcode: Opcode.RDMA_WRITE });
    cq.resize(4);
    bed.modify(qp, QpcState.ERR);
    qp.destroy();
    bed.commands.cqs.destroy(cq.number);
    bed.commands.destroyMpt(region.key);
    bed.commands.deallocPd(bed.commands.allocPd(bed.uar));
    bed.commands.closeUar(bed.commands.openUar());
    bed.machine.pages.freeOwned(bed.machine.threadIndex + 1000); // of nobody: a walk over all blocks
  }
}

const bed = Testbed.attach(Machine.attach(handle));
parentPort?.postMessage('ready');
if (role === 'post') post(bed);
else command(bed);
