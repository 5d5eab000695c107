/** A guest in a thread of its own: it has the user half and its queues' memory, and answers each message with one that is one longer. */
import { parentPort, workerData } from 'node:worker_threads';
import { Machine } from '@openverbs/machine';
import type { MachineHandle } from '@openverbs/machine';
import { QpState, QpType, SendFlags, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import type { DeviceAttr, PortAttr } from '@openverbs/verbs';
import type { ContextOps, UserHalfHandle } from '@openverbs/verbs/driver';
import { userDriver } from '../../src/driver/index.ts';
import { deviceOver } from './front-end.ts';

/** What the other thread has made ready: queues that are connected, and memory. */
export interface GuestWork {
  readonly machine: MachineHandle;
  readonly userHalf: UserHalfHandle;
  readonly cap: { maxSendWr: number; maxRecvWr: number; maxSendSge: number; maxRecvSge: number; maxInlineData: number };
  readonly cq: { readonly addr: number; readonly handle: number; readonly cqe: number };
  readonly qp: { readonly addr: number; readonly handle: number; readonly qpNum: number };
  readonly mr: { readonly addr: number; readonly lkey: number };
  readonly rounds: number;
  readonly deviceAttr: DeviceAttr;
  readonly portAttr: PortAttr;
}

const work = workerData as GuestWork;
const machine = Machine.attach(work.machine);
const user = userDriver.open(work.userHalf, { machine, inlineSource: () => -1 });

/** Every command was executed before this thread began, so there is nobody to ask. */
const ops: ContextOps = {
  events: { next: () => false, setInterruptHandler() {}, hold() {}, release() {} },
  close() {},
  queryDevice: () => work.deviceAttr,
  queryPort: () => work.portAttr,
  allocPd: () => 1,
  createCq({ cqe }) {
    const { addr, handle } = work.cq;
    const geometry = user.cqGeometry(cqe);
    return { handle, cqe: geometry.cqe, dataPath: user.cqRings(addr, geometry) };
  },
  createQp({ qpType, cap }) {
    const { addr, handle, qpNum } = work.qp;
    const geometry = user.qpGeometry({ qpType, cap, withSrq: false });
    return { handle, qpNum, cap: geometry.cap, dataPath: user.qpRings(addr, geometry, qpNum) };
  },
  modifyQp() {},
};

const context = deviceOver(ops).open();
const cq = context.createCq({ cqe: work.cq.cqe });
const qp = context.allocPd().createQp({ qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: work.cap });
qp.modify({ qpState: QpState.RTS, curQpState: QpState.RTS });

const { addr, lkey } = work.mr;
const receive = (wrId: number): void => {
  qp.postRecv({ wrId, sgList: [{ addr, length: 1024, lkey }] });
};
receive(0);
parentPort?.postMessage('ready');
const wcs = WorkCompletion.array(2);
for (let received = 0, sent = 0; received < work.rounds || sent < work.rounds;) {
  const n = cq.poll(wcs);
  for (const { wrId, status, opcode, byteLen } of wcs.slice(0, n)) {
    if (status !== 0) throw new Error(`completion ${wrId} has the status ${status}`);
    if ((opcode & 0x80) === 0) {
      sent++;
      continue;
    }
    if (wrId !== received) throw new Error(`receive ${wrId} came instead of ${received}`);
    received++;
    if (received < work.rounds) receive(received);
    const sgList = [{ addr: addr + 2048, length: byteLen + 1, lkey }];
    qp.postSend({ wrId: received, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList });
  }
}
machine.detach();
