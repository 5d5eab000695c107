/** From a completion back to a CQE, for the side that drains. Nothing here allocates. */
import type { WorkCompletion } from '@openverbs/verbs';
import { CqeWords, STATUS_OF_SYNDROME } from '@openverbs/verbs/rings';

const { QPN, WQE_INDEX, OPCODE, SYNDROME, VENDOR_ERR, BYTE_LEN, IMM, SRC_QPN, FLAGS, PKEY_INDEX } = CqeWords;
const { TIMESTAMP_LO, TIMESTAMP_HI, FAULT_KEY, FAULT_ADDR_LO, FAULT_ADDR_HI } = CqeWords;
/** No device has it, so it reads as GENERAL_ERR. */
const SYNDROME_NONE = 0xff;
const STATUSES = 64;
const TWO_32 = 4294967296;

const SYNDROME_OF_STATUS = new Uint8Array(STATUSES).fill(SYNDROME_NONE);
for (const [syndrome, status] of STATUS_OF_SYNDROME) SYNDROME_OF_STATUS[status] = syndrome;

/**
 * Writes a completion as a CQE in the OpenVerbs layout, from index `word` of `i32` on; VALID is left alone. `wqeIndex` says which WQE of
 * the reader's queue it is about, `completionTs` when it was completed.
 */
export function storeCqe(
  i32: Int32Array,
  word: number,
  wc: WorkCompletion,
  wqeIndex: number,
  completionTs: number,
): void {
  i32[word + QPN] = wc.qpNum;
  i32[word + WQE_INDEX] = wqeIndex;
  i32[word + OPCODE] = wc.opcode;
  i32[word + SYNDROME] = SYNDROME_OF_STATUS[wc.status & (STATUSES - 1)];
  i32[word + VENDOR_ERR] = wc.vendorErr;
  i32[word + BYTE_LEN] = wc.byteLen;
  i32[word + IMM] = wc.immData;
  i32[word + SRC_QPN] = wc.srcQp;
  i32[word + FLAGS] = (wc.wcFlags & 0xff) | ((wc.sl & 0xf) << 8) | (wc.slid << 16);
  i32[word + PKEY_INDEX] = (wc.pkeyIndex & 0xffff) | ((wc.dlidPathBits & 0xff) << 16);
  i32[word + TIMESTAMP_LO] = completionTs;
  i32[word + TIMESTAMP_HI] = completionTs / TWO_32;
  i32[word + FAULT_KEY] = wc.faultKey;
  i32[word + FAULT_ADDR_LO] = wc.faultAddr;
  i32[word + FAULT_ADDR_HI] = wc.faultAddr / TWO_32;
}
