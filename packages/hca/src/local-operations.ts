/**
 * Work requests that concern this side alone: BIND_MW and LOCAL_INV. They take no PSN and no packet, and every requester does them in
 * the same way. Those before them in the queue are done, so a fence asks for nothing more (IBTA 10.8.3.3).
 */
import { CqeSyndrome } from '@openverbs/verbs/rings';
import type { Completer } from './completer.ts';
import type { MemoryWindows } from './memory-windows.ts';
import { Opcode, SendFlag, WC_OPCODE } from './opcode.ts';
import type { SendWqeFetcher } from './send-wqe-fetcher.ts';

export class LocalOperations {
  readonly #wqe: SendWqeFetcher;
  readonly #windows: MemoryWindows;
  readonly #completer: Completer;

  constructor(wqe: SendWqeFetcher, windows: MemoryWindows, completer: Completer) {
    this.#wqe = wqe;
    this.#windows = windows;
    this.#completer = completer;
  }

  /**
   * Carries out and commits WQE `index` of the QP at `q`, which the fetcher has fetched. Answers 0; or a vendor error, when nothing is
   * done, with the rest left in the fetcher as if it had failed there.
   */
  execute(q: number, index: number): number {
    const wqe = this.#wqe;
    const windows = this.#windows;
    const { request } = wqe;
    let failed;
    if (request.opcode === Opcode.BIND_MW) failed = windows.bind(q, request);
    else {
      failed = windows.checkInvalidate(q, request.imm);
      if (failed === 0) windows.invalidate();
    }
    if (failed !== 0) {
      // IBTA 11.6.2, memory management operation error: what the verbs still call a bind error.
      wqe.syndrome = CqeSyndrome.MW_BIND_ERR;
      wqe.faultKey = windows.faultKey;
      wqe.faultAddrLo = windows.faultAddrLo;
      wqe.faultAddrHi = windows.faultAddrHi;
      return failed;
    }
    const completer = this.#completer;
    if ((request.flags & SendFlag.SIGNALED) !== 0) completer.prepareSend(q, index, WC_OPCODE[request.opcode], 0, 0, 0);
    completer.commit(q, 0, 0);
    return 0;
  }
}
