/**
 * Consumers of both levels at once, on whatever device the environment names: one of kernel level plays ping-pong by handlers, one of
 * user level beside it by events, over contexts of their own. Prints what both saw.
 */
import { AccessFlags, connectPair, QpType, SendFlags, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';

import { ibv_get_device_list, ibv_open_device } from '../../src/gen2/index.ts';
import * as ib from '../../src/kernel/index.ts';
import { closeSharedOpenVerbs } from '../../src/testing/index.ts';
import { connectKernelEnds } from '../kernel-support.ts';

const ROUNDS = 100;
const PAGE = 4096;
const [device] = ibv_get_device_list();

const [kernel, user] = await Promise.all([kernelLevel(), userLevel()]);
console.log(JSON.stringify({ device: device.name, kernel, user }));
closeSharedOpenVerbs();

/** Writes a growing pattern through one QP to itself into scattered pages; each write is posted by the handler of the one before. */
async function kernelLevel(): Promise<{ rounds: number; right: number }> {
  const pd = ib.ib_alloc_pd(device);
  const handles: ib.DmaHandle[] = [{}, {}];
  const [source, sink] = handles.map((handle) => ib.ib_dma_alloc_coherent(device, PAGE, handle));
  const places = [...handles].reverse().map(({ addr }) => ({ addr: addr!, size: PAGE }));
  const access = ib.IB_ACCESS_LOCAL_WRITE | ib.IB_ACCESS_REMOTE_WRITE;
  // The sink comes first in the range, wherever the two pages are.
  const mr = ib.ib_reg_phys_mr(pd, places, 2, access, 0x10000);
  const all = ib.ib_get_dma_mr(pd, 0);
  let rounds = 0;
  let right = 0;
  const { promise, resolve } = withResolvers();
  const wcs = WorkCompletion.array(4);
  const cq = ib.ib_create_cq(device, handler, null, null, 16, 0);
  const cap = { maxSendWr: 4, maxRecvWr: 4 };
  const qp = ib.ib_create_qp(pd, { qpType: ib.IB_QPT_RC, sendCq: cq, recvCq: cq, cap });
  connectKernelEnds(device, qp, qp);

  function post(): void {
    source.bytes[0] = rounds & 0xff;
    ib.ib_post_send(qp, {
      opcode: ib.IB_WR_RDMA_WRITE,
      sendFlags: ib.IB_SEND_SIGNALED,
      sgList: [{ addr: handles[0].addr!, length: 8, lkey: all.lkey }],
      remoteAddr: 0x10000 + (rounds & 0xff) * 8,
      rkey: mr.rkey,
    });
  }

  function handler(): void {
    do {
      for (let n; (n = ib.ib_poll_cq(cq, 4, wcs)) > 0;) {
        if (wcs[0].status !== ib.IB_WC_SUCCESS) throw new Error(wcs[0].explain());
        right += Number(sink.bytes[(rounds & 0xff) * 8] === (rounds & 0xff));
        rounds += n;
        if (rounds === ROUNDS) resolve();
        else post();
      }
    } while (ib.ib_req_notify_cq(cq, ib.IB_CQ_NEXT_COMP | ib.IB_CQ_REPORT_MISSED_EVENTS) > 0);
  }

  ib.ib_req_notify_cq(cq, ib.IB_CQ_NEXT_COMP);
  post();
  await promise;
  ib.ib_destroy_qp(qp);
  ib.ib_destroy_cq(cq);
  for (const region of [mr, all]) ib.ib_dereg_mr(region);
  for (const buffer of [source, sink]) ib.ib_dma_free_coherent(device, PAGE, buffer);
  ib.ib_dealloc_pd(pd);
  return { rounds, right };
}

/** Sends messages between two QPs, and waits for each by an event. */
async function userLevel(): Promise<{ rounds: number; right: number }> {
  const context = ibv_open_device(device);
  const pd = context.allocPd();
  const mr = pd.regMr(context.allocBuf(PAGE), AccessFlags.LOCAL_WRITE);
  const cq = context.createCq({ cqe: 16, channel: context.createCompChannel() });
  const init = { qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 4, maxRecvWr: 4 } };
  const [a, b] = [pd.createQp(init), pd.createQp(init)];
  connectPair(a, b);
  const next = (round: number): void => {
    mr.bytes[0] = round;
    b.postRecv({ wrId: 1, sgList: [mr.sge(1024, 8)] });
    a.postSend({ wrId: 0, opcode: WrOpcode.SEND, sendFlags: SendFlags.SIGNALED, sgList: [mr.sge(0, 8)] });
  };
  let rounds = 0;
  let right = 0;
  let halves = 0;
  next(rounds);
  for await (const batch of cq.completions()) {
    for (const wc of batch) if (wc.status !== WcStatus.SUCCESS) throw new Error(wc.explain());
    halves += batch.length;
    if (halves < 2) continue;
    halves = 0;
    right += Number(mr.bytes[1024] === rounds);
    if (++rounds === ROUNDS) break;
    next(rounds);
  }
  context[Symbol.dispose]();
  return { rounds, right };
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  return { promise: new Promise<void>((settle) => (resolve = settle)), resolve };
}
