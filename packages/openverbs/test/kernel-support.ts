/** A pair of connected queue pairs of kernel level, and memory, for the tests of `openverbs/kernel`. */
import type { CompletionQueue, Device, DmaBuffer, MemoryRegion, ProtectionDomain, QueuePair } from '@openverbs/verbs';
import { WorkCompletion } from '@openverbs/verbs';

import { ibv_get_device_list } from '../src/gen2/index.ts';
import * as ib from '../src/kernel/index.ts';
import type { CompHandler, EventHandler } from '../src/kernel/index.ts';

const CAP = { maxSendWr: 16, maxRecvWr: 16, maxSendSge: 2, maxRecvSge: 2 };

export interface KernelPair {
  readonly device: Device;
  readonly pd: ProtectionDomain;
  readonly cq: CompletionQueue;
  readonly a: QueuePair;
  readonly b: QueuePair;
  readonly buffer: DmaBuffer;
  /** Bus address of the buffer; `mr` knows it by that. */
  readonly dma: number;
  readonly mr: MemoryRegion;
}

export interface KernelPairOptions {
  readonly comp?: CompHandler | null;
  readonly event?: EventHandler | null;
  readonly qpEvent?: EventHandler | null;
}

/** One CQ, and two QPs of it that are connected as programs of the kernel do it: by three modifies. */
export function openKernelPair(options: KernelPairOptions = {}): KernelPair {
  const [device] = ibv_get_device_list();
  const pd = ib.ib_alloc_pd(device);
  const cq = ib.ib_create_cq(device, options.comp ?? null, options.event ?? null, 'cq context', 32, 0);
  const eventHandler = options.qpEvent ?? null;
  const [a, b] = [0, 1].map((qpContext) =>
    ib.ib_create_qp(pd, { qpType: ib.IB_QPT_RC, sendCq: cq, recvCq: cq, cap: CAP, qpContext, eventHandler }),
  );
  connectKernelEnds(device, a, b);
  connectKernelEnds(device, b, a);
  const handle: ib.DmaHandle = {};
  const buffer = ib.ib_dma_alloc_coherent(device, 8192, handle);
  const mr = ib.ib_get_dma_mr(pd, ib.IB_ACCESS_LOCAL_WRITE | ib.IB_ACCESS_REMOTE_WRITE);
  return { device, pd, cq, a, b, buffer, dma: handle.addr!, mr };
}

export function closeKernelPair({ device, pd, cq, a, b, buffer, mr }: KernelPair): void {
  ib.ib_destroy_qp(a);
  ib.ib_destroy_qp(b);
  ib.ib_destroy_cq(cq);
  ib.ib_dereg_mr(mr);
  ib.ib_dma_free_coherent(device, 8192, buffer);
  ib.ib_dealloc_pd(pd);
}

/** Sends one byte count of the buffer from `a` to `b`. */
export function sendAToB({ a, b, dma, mr }: KernelPair, wrId: number, length = 8, sendFlags = 0): void {
  ib.ib_post_recv(b, { wrId: 1000 + wrId, sgList: [{ addr: dma + 4096, length: 64, lkey: mr.lkey }] });
  const sgList = [{ addr: dma, length, lkey: mr.lkey }];
  ib.ib_post_send(a, { wrId, opcode: ib.IB_WR_SEND, sendFlags: ib.IB_SEND_SIGNALED | sendFlags, sgList });
}

/** The `wrId` of everything in the queue. */
export function drain(cq: CompletionQueue): number[] {
  const wcs = WorkCompletion.array(4);
  const ids: number[] = [];
  for (let n; (n = ib.ib_poll_cq(cq, 4, wcs)) > 0;) ids.push(...wcs.slice(0, n).map(({ wrId }) => wrId));
  return ids;
}

/** Connects one end, as programs in C do. */
export function connectKernelEnds(device: Device, qp: QueuePair, peer: QueuePair): void {
  ib.ib_modify_qp(
    qp,
    { qpState: ib.IB_QPS_INIT, pkeyIndex: 0, portNum: 1, qpAccessFlags: ib.IB_ACCESS_REMOTE_WRITE },
    ib.IB_QP_STATE | ib.IB_QP_PKEY_INDEX | ib.IB_QP_PORT | ib.IB_QP_ACCESS_FLAGS,
  );
  const grh = { dgid: ib.ib_query_gid(device, 1, 0), sgidIndex: 0, hopLimit: 1 };
  const attr = {
    qpState: ib.IB_QPS_RTR,
    pathMtu: ib.ib_query_port(device, 1).activeMtu,
    destQpNum: peer.qpNum,
    rqPsn: 7,
    maxDestRdAtomic: 1,
    minRnrTimer: 12,
    ahAttr: { isGlobal: true, grh, dlid: 0, portNum: 1 },
  };
  const toRtr = ib.IB_QP_STATE | ib.IB_QP_AV | ib.IB_QP_PATH_MTU | ib.IB_QP_DEST_QPN | ib.IB_QP_RQ_PSN;
  ib.ib_modify_qp(qp, attr, toRtr | ib.IB_QP_MAX_DEST_RD_ATOMIC | ib.IB_QP_MIN_RNR_TIMER);
  ib.ib_modify_qp(
    qp,
    { qpState: ib.IB_QPS_RTS, timeout: 14, retryCnt: 7, rnrRetry: 7, sqPsn: 7, maxRdAtomic: 1 },
    ib.IB_QP_STATE |
      ib.IB_QP_TIMEOUT |
      ib.IB_QP_RETRY_CNT |
      ib.IB_QP_RNR_RETRY |
      ib.IB_QP_SQ_PSN |
      ib.IB_QP_MAX_QP_RD_ATOMIC,
  );
}
