/** Turns a failed completion into a sentence that names the cause. */
import { hex } from './check.ts';
import { AccessFlags } from './enums/access-flags.ts';
import { enumName, flagNames } from './enums/name-of.ts';
import { WcOpcode, WcStatus, wcStatusStr } from './enums/wc.ts';
import { VendorErr } from './rings/vendor-err.ts';

/** What an explanation is made from; no object is looked up. */
export interface CompletionFault {
  /** One of `WcStatus`. */
  readonly status: number;
  /** One of `WcOpcode`. */
  readonly opcode: number;
  /** One of `VendorErr`, for the devices of OpenVerbs. */
  readonly vendorErr: number;
  /** See {@link VendorErr}. */
  readonly faultKey: number;
  /** See {@link VendorErr}. */
  readonly faultAddr: number;
}

type Sentence = (fault: CompletionFault) => string;

/** The index part of a key numbers its memory region; the low byte is what makes a reused number a new key. */
const mr = (fault: CompletionFault): string => `of MR ${fault.faultKey >>> 8}`;
const lkey = (fault: CompletionFault): string => `lkey ${hex(fault.faultKey)}`;
const rkey = (fault: CompletionFault): string => `rkey ${hex(fault.faultKey)}`;
const addr = (fault: CompletionFault): string => `0x${fault.faultAddr.toString(16)}`;

const SENTENCES: Readonly<Record<number, Sentence>> = {
  [VendorErr.BAD_LKEY]: (f) => `no memory region has ${lkey(f)}`,
  [VendorErr.BAD_RKEY]: (f) => `no memory region of the peer has ${rkey(f)}`,
  [VendorErr.LKEY_PD_MISMATCH]: (f) => `${lkey(f)} ${mr(f)} is of another protection domain than the QP`,
  [VendorErr.RKEY_PD_MISMATCH]: (f) => `${rkey(f)} ${mr(f)} is of another protection domain than the peer's QP`,
  [VendorErr.LKEY_RANGE]: (f) => `address ${addr(f)} reaches beyond ${lkey(f)} ${mr(f)}`,
  [VendorErr.RKEY_RANGE]: (f) => `remote address ${addr(f)} reaches beyond ${rkey(f)} ${mr(f)}`,
  [VendorErr.LKEY_NOT_OWNED]: (f) =>
    `the memory at bus address ${addr(f)} is not all of the guest's own, which is what ${lkey(f)} ${mr(f)} covers`,
  [VendorErr.RKEY_NOT_OWNED]: (f) =>
    `the memory at remote bus address ${addr(f)} is not all of the peer's own, which is what ${rkey(f)} ${mr(f)} covers`,
  [VendorErr.LKEY_NO_LOCAL_WRITE]: (f) => `${lkey(f)} ${mr(f)} lacks LOCAL_WRITE`,
  [VendorErr.RKEY_NO_REMOTE_WRITE]: (f) => `${rkey(f)} ${mr(f)} lacks REMOTE_WRITE`,
  [VendorErr.RKEY_NO_REMOTE_READ]: (f) => `${rkey(f)} ${mr(f)} lacks REMOTE_READ`,
  [VendorErr.RKEY_NO_REMOTE_ATOMIC]: (f) => `${rkey(f)} ${mr(f)} lacks REMOTE_ATOMIC`,
  [VendorErr.QP_NO_REMOTE_WRITE]: () => `qpAccessFlags of the peer's QP lack REMOTE_WRITE`,
  [VendorErr.QP_NO_REMOTE_READ]: () => `qpAccessFlags of the peer's QP lack REMOTE_READ`,
  [VendorErr.QP_NO_REMOTE_ATOMIC]: () => `qpAccessFlags of the peer's QP lack REMOTE_ATOMIC`,
  [VendorErr.ATOMIC_MISALIGNED]: (f) =>
    `remote address ${addr(f)} of an atomic operation, or its place in memory, is not a multiple of 8`,
  [VendorErr.ATOMIC_LENGTH]: (f) => `an atomic operation is of 8 bytes, not ${f.faultAddr}`,
  [VendorErr.BAD_OPCODE]: (f) => `opcode ${f.faultAddr} is not one that this QP can do`,
  [VendorErr.BAD_SGE_COUNT]: (f) => `${f.faultAddr} SGEs are more than the QP allows, or not what the opcode needs`,
  [VendorErr.BAD_INLINE_LENGTH]: (f) => `${f.faultAddr} bytes of inline data are more than the QP allows`,
  [VendorErr.MESSAGE_TOO_LONG]: (f) => `a message of ${f.faultAddr} bytes is longer than the path allows`,
  [VendorErr.RECV_TOO_SMALL]: (f) =>
    `the receive is too small for the message${f.faultAddr === 0 ? '' : ` of ${f.faultAddr} bytes`}`,
  [VendorErr.RNR]: () => 'the peer had no receive posted, and rnrRetry is used up',
  [VendorErr.NO_RESPONSE]: () =>
    'no answer came and retryCnt is used up: the peer is missing, not in RTR or RTS, or not reachable at that address',
  [VendorErr.RD_ATOMIC_LIMIT]: () => "more RDMA reads and atomics at once than the peer's maxDestRdAtomic allows",
  [VendorErr.REMOTE_OPERATION]: () => "the peer's receive was bad; its own completion says why",
  [VendorErr.FLUSHED]: () => 'the QP was in ERR, so this was not done; the first failed completion says why',
  [VendorErr.PSN_MISMATCH]: () => 'a packet sequence number made no sense: compare sqPsn and rqPsn of the two ends',
  [VendorErr.CQ_OVERRUN]: () => 'the completion queue was full: make it larger or poll more often',
  [VendorErr.BAD_RECV_WQE]: (f) => `the receive could not be used: ${lkey(f)} does not give the memory it names`,
  [VendorErr.PKEY_MISMATCH]: () => 'the P_Keys of the two ends do not match',
  [VendorErr.BAD_AH]: (f) => `there is no address handle ${f.faultAddr}`,
  [VendorErr.AH_PD_MISMATCH]: (f) => `address handle ${f.faultAddr} is of another protection domain than the QP`,
  [VendorErr.AH_PORT_MISMATCH]: (f) => `address handle ${f.faultAddr} is for another port than that of the QP`,
  [VendorErr.MTU_MISMATCH]: () => "a packet does not fit the path MTU: compare the two ends' pathMtu",
  [VendorErr.WINDOW_NOT_BOUND]: (f) => `the memory window with ${rkey(f)} is not bound`,
  [VendorErr.WINDOW_QP_MISMATCH]: (f) => `the memory window with ${rkey(f)} is bound to another QP`,
  [VendorErr.BIND_NO_WINDOW]: (f) => `there is no memory window ${hex(f.faultAddr)}`,
  [VendorErr.BIND_BAD_RKEY]: (f) => `${rkey(f)} differs from the window's in more than the low byte: use incRkey()`,
  [VendorErr.BIND_BAD_ACCESS]: (f) =>
    `access ${flagNames(AccessFlags, f.faultAddr)} is more than a memory window of this type can have`,
  [VendorErr.BIND_BOUND]: (f) => `the memory window with ${rkey(f)} is bound: invalidate it first`,
  [VendorErr.BIND_EMPTY]: (f) => `the bind of ${rkey(f)} has no length: a window of type 2 is invalidated instead`,
  [VendorErr.BIND_NOT_ALLOWED]: (f) => `${lkey(f)} ${mr(f)} lacks MW_BIND`,
  [VendorErr.BIND_ZERO_BASED_REGION]: (f) => `${lkey(f)} ${mr(f)} is zero-based, so no window can be bound to it`,
  [VendorErr.INVALIDATE_NOT_TYPE_2]: (f) =>
    `${rkey(f)} is not of a memory window of type 2: regions are deregistered, windows of type 1 bound to nothing`,
  [VendorErr.BAD_SRQN]: (f) => `the XRC domain of the peer has no shared receive queue ${f.faultAddr}`,
  [VendorErr.BAD_FLUSH]: (f) => `a flush of ${addr(f)} is none: it needs a placement type, and a range or a region`,
  [VendorErr.RKEY_NO_FLUSH_GLOBAL]: (f) => `${rkey(f)} ${mr(f)} lacks FLUSH_GLOBAL`,
  [VendorErr.RKEY_NO_FLUSH_PERSISTENT]: (f) => `${rkey(f)} ${mr(f)} lacks FLUSH_PERSISTENT`,
  [VendorErr.QP_NO_FLUSH_GLOBAL]: () => `qpAccessFlags of the peer's QP lack FLUSH_GLOBAL`,
  [VendorErr.QP_NO_FLUSH_PERSISTENT]: () => `qpAccessFlags of the peer's QP lack FLUSH_PERSISTENT`,
  [VendorErr.SRQ_ERR]: () => "the peer's shared receive queue is in error",
  [VendorErr.NAK_INVALID_REQUEST]: (f) =>
    f.faultKey === 0
      ? 'the peer refused the message: its receive is too small, or its QP takes none of this kind'
      : `the peer refused the request for ${rkey(f)} at remote address ${addr(f)}: it makes no sense, or its QP's ` +
        'qpAccessFlags or maxDestRdAtomic do not allow it',
  [VendorErr.NAK_REMOTE_ACCESS]: (f) =>
    `the peer refused ${rkey(f)} ${mr(f)} at remote address ${addr(f)}: the key is stale, of another protection domain, ` +
    'too short, or lacks the right',
  [VendorErr.BAD_RESPONSE]: () => 'a response of the peer is not as long as it must be',
  [VendorErr.WQE_CHANGED]: () => 'the work request was changed in the send queue while its packets were under way',
};

/** See `WorkCompletion.explain`. */
export function explainCompletion(fault: CompletionFault): string {
  if (fault.status === WcStatus.SUCCESS) return `SUCCESS: ${enumName(WcOpcode, fault.opcode)}`;
  const sentence = SENTENCES[fault.vendorErr]?.(fault);
  const vendor = fault.vendorErr === 0 ? '' : ` (vendor error ${hex(fault.vendorErr)})`;
  return `${enumName(WcStatus, fault.status)}: ${sentence ?? wcStatusStr(fault.status) + vendor}`;
}
