/**
 * A ping-pong between two RC queue pairs, in the calls and the order of steps that programs in C have: open, allocate,
 * register, create, INIT, receive, RTR, RTS, send, poll, and everything back.
 *
 * Both ends are in this process, so what two processes would tell each other over TCP is an assignment here.
 */
import {
  IBV_ACCESS_LOCAL_WRITE,
  IBV_LINK_LAYER_ETHERNET,
  IBV_MTU_1024,
  IBV_QPS_INIT,
  IBV_QPS_RTR,
  IBV_QPS_RTS,
  IBV_QPT_RC,
  IBV_QP_ACCESS_FLAGS,
  IBV_QP_AV,
  IBV_QP_DEST_QPN,
  IBV_QP_MAX_DEST_RD_ATOMIC,
  IBV_QP_MAX_QP_RD_ATOMIC,
  IBV_QP_MIN_RNR_TIMER,
  IBV_QP_PATH_MTU,
  IBV_QP_PKEY_INDEX,
  IBV_QP_PORT,
  IBV_QP_RETRY_CNT,
  IBV_QP_RNR_RETRY,
  IBV_QP_RQ_PSN,
  IBV_QP_SQ_PSN,
  IBV_QP_STATE,
  IBV_QP_TIMEOUT,
  IBV_SEND_SIGNALED,
  IBV_WC_SUCCESS,
  IBV_WR_SEND,
  ibv_alloc_buf,
  ibv_alloc_pd,
  ibv_close_device,
  ibv_create_cq,
  ibv_create_qp,
  ibv_dealloc_pd,
  ibv_dereg_mr,
  ibv_destroy_cq,
  ibv_destroy_qp,
  ibv_free_buf,
  ibv_modify_qp,
  ibv_open_device,
  ibv_poll_cq,
  ibv_post_recv,
  ibv_post_send,
  ibv_query_gid,
  ibv_query_port,
  ibv_reg_mr,
  ibv_wc_status_str,
} from 'openverbs/gen2';
import {
  type CompletionQueue,
  type Context,
  type Device,
  type DmaBuffer,
  type Gid,
  type MemoryRegion,
  type ProtectionDomain,
  type QueuePair,
  RecvWr,
  SendWr,
  WorkCompletion,
} from 'openverbs';

/** `wr_id` of receives and sends: bits, so that a set of them is a number too. */
const RECV = 1;
const SEND = 2;

const PORT = 1;
const GID_INDEX = 0;
const RX_DEPTH = 64;

/** What a ping-pong is to do. */
export interface PingPongPlan {
  /** Bytes of a message. */
  readonly size: number;
  /** Number of exchanges. */
  readonly iters: number;
}

/** What one end tells the other. */
export interface PingPongAddress {
  readonly lid: number;
  readonly qpn: number;
  readonly psn: number;
  readonly gid: Gid;
}

/** One end, as it is between calls. */
interface End {
  readonly context: Context;
  readonly pd: ProtectionDomain;
  readonly buf: DmaBuffer;
  readonly mr: MemoryRegion;
  readonly cq: CompletionQueue;
  readonly qp: QueuePair;
  readonly address: PingPongAddress;
  readonly isGlobal: boolean;
  readonly sendWr: SendWr;
  readonly recvWr: RecvWr;
  readonly wc: WorkCompletion[];
  /** Receives posted, sends and receives completed, and which of the two the end waits for. */
  posted: number;
  sent: number;
  received: number;
  pending: number;
}

/** Runs the ping-pong on `device`; returns how long it took, in seconds, and both addresses. */
export function pingPong(device: Device, plan: PingPongPlan): { seconds: number; addresses: PingPongAddress[] } {
  const ends = [initEnd(device, plan.size), initEnd(device, plan.size)];
  const [ping, pong] = ends;
  connect(ping, pong.address);
  connect(pong, ping.address);

  const start = performance.now();
  send(ping);
  while (ends.some(({ sent, received }) => sent < plan.iters || received < plan.iters)) {
    for (const end of ends) poll(end, plan.iters);
  }
  const seconds = (performance.now() - start) / 1000;

  const addresses = ends.map(({ address }) => address);
  for (const end of ends) closeEnd(end);
  return { seconds, addresses };
}

/** Makes the objects of an end, from the context to a QP that can receive. */
function initEnd(device: Device, size: number): End {
  const context = ibv_open_device(device);
  const pd = ibv_alloc_pd(context);
  const buf = ibv_alloc_buf(pd, size);
  const mr = ibv_reg_mr(pd, buf, size, IBV_ACCESS_LOCAL_WRITE);
  const cq = ibv_create_cq(context, RX_DEPTH + 1, null, null, 0);
  const qp = ibv_create_qp(pd, {
    sendCq: cq,
    recvCq: cq,
    cap: { maxSendWr: 1, maxRecvWr: RX_DEPTH, maxSendSge: 1, maxRecvSge: 1 },
    qpType: IBV_QPT_RC,
  });
  ibv_modify_qp(
    qp,
    { qpState: IBV_QPS_INIT, pkeyIndex: 0, portNum: PORT, qpAccessFlags: 0 },
    IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS,
  );

  const port = ibv_query_port(context, PORT);
  const gid = ibv_query_gid(context, PORT, GID_INDEX);
  const psn = Math.floor(Math.random() * 2 ** 24);
  const sgList = [mr.sge()];
  const end: End = {
    ...{ context, pd, buf, mr, cq, qp },
    address: { lid: port.lid, qpn: qp.qpNum, psn, gid },
    isGlobal: port.linkLayer === IBV_LINK_LAYER_ETHERNET,
    sendWr: new SendWr({ wrId: SEND, opcode: IBV_WR_SEND, sendFlags: IBV_SEND_SIGNALED, sgList }),
    recvWr: new RecvWr({ wrId: RECV, sgList }),
    wc: WorkCompletion.array(2),
    ...{ posted: 0, sent: 0, received: 0, pending: RECV },
  };
  postReceives(end);
  return end;
}

/** To RTR, which names the peer, and on to RTS, which sets the patience of the sender. */
function connect({ qp, address, isGlobal }: End, remote: PingPongAddress): void {
  ibv_modify_qp(
    qp,
    {
      qpState: IBV_QPS_RTR,
      pathMtu: IBV_MTU_1024,
      destQpNum: remote.qpn,
      rqPsn: remote.psn,
      maxDestRdAtomic: 1,
      minRnrTimer: 12,
      ahAttr: {
        dlid: remote.lid,
        portNum: PORT,
        ...(isGlobal && { grh: { dgid: remote.gid, sgidIndex: GID_INDEX, hopLimit: 1 } }),
      },
    },
    IBV_QP_STATE |
      IBV_QP_AV |
      IBV_QP_PATH_MTU |
      IBV_QP_DEST_QPN |
      IBV_QP_RQ_PSN |
      IBV_QP_MAX_DEST_RD_ATOMIC |
      IBV_QP_MIN_RNR_TIMER,
  );
  ibv_modify_qp(
    qp,
    { qpState: IBV_QPS_RTS, timeout: 14, retryCnt: 7, rnrRetry: 7, sqPsn: address.psn, maxRdAtomic: 1 },
    IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC,
  );
}

function postReceives(end: End): void {
  for (; end.posted < RX_DEPTH; end.posted++) ibv_post_recv(end.qp, end.recvWr);
}

function send(end: End): void {
  ibv_post_send(end.qp, end.sendWr);
  end.pending = SEND | RECV;
}

/** Takes up to two completions; when the last message has left and the answer has come, the next one goes out. */
function poll(end: End, iters: number): void {
  const count = ibv_poll_cq(end.cq, 2, end.wc);
  for (let i = 0; i < count; i++) {
    const { status, wrId } = end.wc[i];
    if (status !== IBV_WC_SUCCESS) throw new Error(`${ibv_wc_status_str(status)}: ${end.wc[i].explain()}`);
    if (wrId === SEND) {
      end.sent++;
    } else {
      end.received++;
      if (--end.posted <= 1) postReceives(end);
    }
    end.pending &= ~wrId;
    if (end.pending === 0 && end.sent < iters) send(end);
  }
}

/** Gives everything back, children first. */
function closeEnd({ context, pd, buf, mr, cq, qp }: End): void {
  ibv_destroy_qp(qp);
  ibv_destroy_cq(cq);
  ibv_dereg_mr(mr);
  ibv_free_buf(buf);
  ibv_dealloc_pd(pd);
  ibv_close_device(context);
}
