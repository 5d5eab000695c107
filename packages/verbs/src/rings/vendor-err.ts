/**
 * The devices of OpenVerbs say in each failed CQE which check failed: this is the list. It says more than the status of the
 * specification does, and `wc.explain()` turns it into a sentence.
 */

/**
 * `vendorErr` of the devices of OpenVerbs. "Key" and "value" below are the fault words of the CQE, `FAULT_KEY` and
 * `FAULT_ADDR`, which are `faultKey` and `faultAddr` of a completion. Other devices have codes of their own.
 *
 * @enum
 */
export const VendorErr = {
  /** Nothing to say. */
  NONE: 0,
  /** No memory region has this lkey. Key: the lkey. */
  BAD_LKEY: 1,
  /** No memory region has this rkey. Key: the rkey. */
  BAD_RKEY: 2,
  /** The lkey is of another protection domain than the QP. Key: the lkey. */
  LKEY_PD_MISMATCH: 3,
  /** The rkey is of another protection domain than the remote QP. Key: the rkey. */
  RKEY_PD_MISMATCH: 4,
  /** The SGE reaches beyond the memory region. Key: the lkey; value: the address. */
  LKEY_RANGE: 5,
  /** The request reaches beyond the remote memory region. Key: the rkey; value: the address. */
  RKEY_RANGE: 6,
  /** The local memory region lacks LOCAL_WRITE. Key: the lkey. */
  LKEY_NO_LOCAL_WRITE: 7,
  /** The remote memory region lacks REMOTE_WRITE. Key: the rkey. */
  RKEY_NO_REMOTE_WRITE: 8,
  /** The remote memory region lacks REMOTE_READ. Key: the rkey. */
  RKEY_NO_REMOTE_READ: 9,
  /** The remote memory region lacks REMOTE_ATOMIC. Key: the rkey. */
  RKEY_NO_REMOTE_ATOMIC: 10,
  /** The remote QP's `qpAccessFlags` lack REMOTE_WRITE. */
  QP_NO_REMOTE_WRITE: 11,
  /** The remote QP's `qpAccessFlags` lack REMOTE_READ. */
  QP_NO_REMOTE_READ: 12,
  /** The remote QP's `qpAccessFlags` lack REMOTE_ATOMIC. */
  QP_NO_REMOTE_ATOMIC: 13,
  /** The remote address of an atomic operation, or where its memory lies, is not a multiple of 8. Value: the address. */
  ATOMIC_MISALIGNED: 14,
  /** The data of an atomic operation, or of an ATOMIC_WRITE, is not 8 bytes. Value: its length. */
  ATOMIC_LENGTH: 15,
  /** The WQE's opcode is none, or not one of this transport. Value: the opcode. */
  BAD_OPCODE: 16,
  /** The WQE has more SGEs than the QP allows, or not as many as its opcode needs. Value: their number. */
  BAD_SGE_COUNT: 17,
  /** The WQE's inline data does not fit. Value: its length. */
  BAD_INLINE_LENGTH: 18,
  /** The message is longer than the port, or for UD the path MTU, allows. Value: its length. */
  MESSAGE_TOO_LONG: 19,
  /** The message did not fit the receive. Value: its length, or 0 when it is not known. */
  RECV_TOO_SMALL: 20,
  /** The peer had no receive posted. */
  RNR: 21,
  /** No answer came: the peer is missing, not ready, or unreachable. */
  NO_RESPONSE: 22,
  /** The peer had more RDMA reads and atomics to serve than its `maxDestRdAtomic` allows. */
  RD_ATOMIC_LIMIT: 23,
  /** The peer's receive was bad, and its own completion says why. */
  REMOTE_OPERATION: 24,
  /** The QP was in ERR. */
  FLUSHED: 25,
  /** A packet's sequence number made no sense. */
  PSN_MISMATCH: 26,
  /** The CQ was full. */
  CQ_OVERRUN: 27,
  /** A receive WQE could not be used. Key: its lkey. */
  BAD_RECV_WQE: 28,
  /** The P_Keys of the two ends do not match. */
  PKEY_MISMATCH: 29,
  /** A packet was longer than the path MTU, or shorter where it must be full. */
  MTU_MISMATCH: 30,
  /**
   * Over packets: the peer answered that the request makes no sense, or is not enabled for its QP. Key: the rkey, or 0 for
   * a SEND; value: the remote address.
   */
  NAK_INVALID_REQUEST: 60,
  /** Over packets: the peer answered that the rkey does not allow the access. Key: the rkey; value: the remote address. */
  NAK_REMOTE_ACCESS: 61,
  /** A response of the peer has not the length that it must have. */
  BAD_RESPONSE: 62,
  /** The WQE was changed while its packets were under way. */
  WQE_CHANGED: 63,
  /** The peer's SRQ is in error. */
  SRQ_ERR: 31,
  /** The memory region is of the pages of one owner, and a page of the SGE is not one of these now. Key: the lkey; value: the address. */
  LKEY_NOT_OWNED: 32,
  /** As LKEY_NOT_OWNED, of the remote memory region. Key: the rkey; value: the address. */
  RKEY_NOT_OWNED: 33,
  /** No address handle has this number. Value: the number. */
  BAD_AH: 40,
  /** The address handle is of another protection domain than the QP. Value: its number. */
  AH_PD_MISMATCH: 41,
  /** The address handle goes out from another port than the QP is on. Value: its number. */
  AH_PORT_MISMATCH: 42,
  /** XRC: the peer's domain has no SRQ of this number. Value: the number. */
  BAD_SRQN: 48,
  /** The rkey is of a memory window that is not bound. Key: the rkey. */
  WINDOW_NOT_BOUND: 64,
  /** The rkey is of a memory window of type 2 that another QP has bound. Key: the rkey. */
  WINDOW_QP_MISMATCH: 65,
  /** BIND_MW names no memory window. Value: the number that it names. */
  BIND_NO_WINDOW: 66,
  /** The new rkey of a memory window differs from the present one in more than its low byte. Key: the new rkey. */
  BIND_BAD_RKEY: 67,
  /** Access flags that a memory window of this type can't have. Value: the flags. */
  BIND_BAD_ACCESS: 68,
  /** The memory window is of type 2, and bound already. Key: its rkey. */
  BIND_BOUND: 69,
  /** The memory window is of type 2, and the bind has no length. Key: its rkey. */
  BIND_EMPTY: 70,
  /** The memory region lacks MW_BIND. Key: its lkey. */
  BIND_NOT_ALLOWED: 71,
  /** The memory region is zero-based. Key: its lkey. */
  BIND_ZERO_BASED_REGION: 72,
  /** What was to be invalidated is no memory window of type 2. Key: the rkey. */
  INVALIDATE_NOT_TYPE_2: 73,
  /** A FLUSH asks for no placement, or for one or a selectivity level that there is not. Value: both, as in the WQE. */
  BAD_FLUSH: 80,
  /** The remote memory region lacks FLUSH_GLOBAL. Key: the rkey. */
  RKEY_NO_FLUSH_GLOBAL: 81,
  /** The remote memory region lacks FLUSH_PERSISTENT. Key: the rkey. */
  RKEY_NO_FLUSH_PERSISTENT: 82,
  /** The remote QP's `qpAccessFlags` lack FLUSH_GLOBAL. */
  QP_NO_FLUSH_GLOBAL: 83,
  /** The remote QP's `qpAccessFlags` lack FLUSH_PERSISTENT. */
  QP_NO_FLUSH_PERSISTENT: 84,
} as const;

/** One of {@link VendorErr}. */
export type VendorErr = (typeof VendorErr)[keyof typeof VendorErr];
