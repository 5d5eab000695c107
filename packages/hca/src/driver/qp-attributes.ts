/** `ibv_qp_attr` to words of the QP context and back, as a table. */
import { Gid, QpAttrMask } from '@openverbs/verbs';
import type { AhAttr, QpAttr, QpCap } from '@openverbs/verbs';
import { AltPath, Qpc } from '../layout.ts';
import type { AddressVector, QpChange } from '../modify-qp.ts';
import type { AlternatePath } from '../path-migration.ts';

/** Attributes that are one word of the context. */
const WORDS = [
  { key: 'pathMtu', mask: QpAttrMask.PATH_MTU, word: Qpc.PATH_MTU },
  { key: 'pathMigState', mask: QpAttrMask.PATH_MIG_STATE, word: Qpc.PATH_MIG_STATE },
  { key: 'qkey', mask: QpAttrMask.QKEY, word: Qpc.QKEY },
  { key: 'rqPsn', mask: QpAttrMask.RQ_PSN, word: Qpc.RQ_PSN },
  { key: 'sqPsn', mask: QpAttrMask.SQ_PSN, word: Qpc.SQ_PSN },
  { key: 'destQpNum', mask: QpAttrMask.DEST_QPN, word: Qpc.DEST_QPN },
  { key: 'qpAccessFlags', mask: QpAttrMask.ACCESS_FLAGS, word: Qpc.ACCESS_FLAGS },
  { key: 'pkeyIndex', mask: QpAttrMask.PKEY_INDEX, word: Qpc.PKEY_INDEX },
  { key: 'maxRdAtomic', mask: QpAttrMask.MAX_QP_RD_ATOMIC, word: Qpc.MAX_RD_ATOMIC },
  { key: 'maxDestRdAtomic', mask: QpAttrMask.MAX_DEST_RD_ATOMIC, word: Qpc.MAX_DEST_RD_ATOMIC },
  { key: 'minRnrTimer', mask: QpAttrMask.MIN_RNR_TIMER, word: Qpc.MIN_RNR_TIMER },
  { key: 'portNum', mask: QpAttrMask.PORT, word: Qpc.PORT },
  { key: 'timeout', mask: QpAttrMask.TIMEOUT, word: Qpc.TIMEOUT },
  { key: 'retryCnt', mask: QpAttrMask.RETRY_CNT, word: Qpc.RETRY_CNT },
  { key: 'rnrRetry', mask: QpAttrMask.RNR_RETRY, word: Qpc.RNR_RETRY },
] as const;

/** What a modify asks of the device. */
export function toQpChange(attr: QpAttr, mask: number): QpChange {
  const words = new Map<number, number>();
  for (const { key, mask: bit, word } of WORDS) {
    const value = attr[key];
    if ((mask & bit) !== 0 && value !== undefined) words.set(word, value);
  }
  if ((mask & QpAttrMask.EN_SQD_ASYNC_NOTIFY) !== 0)
    words.set(Qpc.EN_SQD_ASYNC_NOTIFY, attr.enSqdAsyncNotify === true ? 1 : 0);
  return {
    words,
    ...((mask & QpAttrMask.STATE) !== 0 && attr.qpState !== undefined ? { state: attr.qpState } : {}),
    ...((mask & QpAttrMask.AV) !== 0 && attr.ahAttr !== undefined ? { av: toAddressVector(attr.ahAttr) } : {}),
    ...((mask & QpAttrMask.ALT_PATH) !== 0 && attr.altAhAttr !== undefined ? { alternate: toAlternate(attr) } : {}),
  };
}

/** All attributes of the QP whose context is at `q`. */
export function fromQpc(i32: Int32Array, u8: Uint8Array, q: number): { attr: Required<QpAttr>; cap: QpCap } {
  const cap: QpCap = {
    maxSendWr: i32[q + Qpc.MAX_SEND_WR],
    maxRecvWr: i32[q + Qpc.MAX_RECV_WR],
    maxSendSge: i32[q + Qpc.MAX_SEND_SGE],
    maxRecvSge: i32[q + Qpc.MAX_RECV_SGE],
    maxInlineData: i32[q + Qpc.MAX_INLINE],
  };
  const words = Object.fromEntries(WORDS.map(({ key, word }) => [key, i32[q + word]]));
  const state = i32[q + Qpc.STATE];
  const loaded = i32[q + Qpc.ALT_STATE] === AltPath.LOADED;
  const noPath: AhAttr = { dlid: 0, sl: 0, srcPathBits: 0, staticRate: 0, isGlobal: false, portNum: 0 };
  const attr = {
    ...words,
    qpState: state,
    curQpState: state,
    cap,
    ahAttr: fromAddressVector(i32, u8, q + Qpc.AV_DGID),
    altAhAttr: loaded ? fromAddressVector(i32, u8, q + Qpc.ALT_AV) : noPath,
    altPkeyIndex: loaded ? i32[q + Qpc.ALT_PKEY_INDEX] : 0,
    altPortNum: loaded ? i32[q + Qpc.ALT_PORT] : 0,
    altTimeout: loaded ? i32[q + Qpc.ALT_TIMEOUT] : 0,
    rateLimit: 0,
    enSqdAsyncNotify: i32[q + Qpc.EN_SQD_ASYNC_NOTIFY] !== 0,
    sqDraining: i32[q + Qpc.SQ_DRAINING] !== 0,
  };
  return { attr: attr as unknown as Required<QpAttr>, cap };
}

/** An address vector as the device takes it. */
export function toAddressVector(ah: AhAttr): AddressVector {
  const { grh } = ah;
  return {
    dgid: grh === undefined ? null : grh.dgid.bytes,
    flowLabel: grh?.flowLabel ?? 0,
    sgidIndex: grh?.sgidIndex ?? 0,
    hopLimit: grh?.hopLimit ?? 0,
    trafficClass: grh?.trafficClass ?? 0,
    dlid: ah.dlid,
    sl: ah.sl,
    srcPathBits: ah.srcPathBits,
    staticRate: ah.staticRate,
    portNum: ah.portNum,
  };
}

function toAlternate({ altAhAttr, altPkeyIndex = 0, altPortNum = 1, altTimeout = 0 }: QpAttr): AlternatePath {
  return { av: toAddressVector(altAhAttr!), pkeyIndex: altPkeyIndex, portNum: altPortNum, timeout: altTimeout };
}

/** The address vector whose first word is at `av`. */
function fromAddressVector(i32: Int32Array, u8: Uint8Array, av: number): AhAttr {
  const q = av - Qpc.AV_DGID;
  const packed = i32[q + Qpc.AV_GRH];
  const lid = i32[q + Qpc.AV_LID];
  const path = {
    dlid: lid & 0xffff,
    sl: (lid >>> 16) & 0xff,
    srcPathBits: lid >>> 24,
    staticRate: i32[q + Qpc.AV_PORT] & 0xff,
    isGlobal: packed >>> 24 !== 0,
    portNum: (i32[q + Qpc.AV_PORT] >>> 8) & 0xff,
  };
  if (!path.isGlobal) return path;
  const at = (q + Qpc.AV_DGID) * 4;
  const grh = {
    dgid: new Gid(u8.slice(at, at + 16)),
    flowLabel: i32[q + Qpc.AV_FLOW_LABEL],
    sgidIndex: packed & 0xff,
    hopLimit: (packed >>> 8) & 0xff,
    trafficClass: (packed >>> 16) & 0xff,
  };
  return { ...path, grh };
}
