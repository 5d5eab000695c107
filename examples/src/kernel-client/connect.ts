/** Connects one end, as programs in C do: by three modifies with masks. */
import * as ib from 'openverbs/kernel';
import type { Device, QueuePair } from 'openverbs/kernel';

const PSN = 7;

export function connect(device: Device, qp: QueuePair, peer: QueuePair): void {
  ib.ib_modify_qp(
    qp,
    { qpState: ib.IB_QPS_INIT, pkeyIndex: 0, portNum: 1, qpAccessFlags: 0 },
    ib.IB_QP_STATE | ib.IB_QP_PKEY_INDEX | ib.IB_QP_PORT | ib.IB_QP_ACCESS_FLAGS,
  );
  const grh = { dgid: ib.ib_query_gid(device, 1, 0), sgidIndex: 0, hopLimit: 1 };
  ib.ib_modify_qp(
    qp,
    {
      qpState: ib.IB_QPS_RTR,
      ahAttr: { isGlobal: true, grh, portNum: 1 },
      pathMtu: ib.ib_query_port(device, 1).activeMtu,
      destQpNum: peer.qpNum,
      rqPsn: PSN,
      maxDestRdAtomic: 1,
      minRnrTimer: 12,
    },
    ib.IB_QP_STATE |
      ib.IB_QP_AV |
      ib.IB_QP_PATH_MTU |
      ib.IB_QP_DEST_QPN |
      ib.IB_QP_RQ_PSN |
      ib.IB_QP_MAX_DEST_RD_ATOMIC |
      ib.IB_QP_MIN_RNR_TIMER,
  );
  ib.ib_modify_qp(
    qp,
    { qpState: ib.IB_QPS_RTS, timeout: 14, retryCnt: 7, rnrRetry: 7, sqPsn: PSN, maxRdAtomic: 1 },
    ib.IB_QP_STATE |
      ib.IB_QP_TIMEOUT |
      ib.IB_QP_RETRY_CNT |
      ib.IB_QP_RNR_RETRY |
      ib.IB_QP_SQ_PSN |
      ib.IB_QP_MAX_QP_RD_ATOMIC,
  );
}
