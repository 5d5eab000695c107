/** From the QP number in a CQE to the QP's queues: two array loads, no hashing. */
import { NO_QP, QpSlots, type SrqSlots } from './work-queue-slots.ts';

/** A QP number has 24 bits: 12 choose the page, 12 the entry. */
const PAGE_BITS = 12;
const PAGE_ENTRIES = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_ENTRIES - 1;

/** What tables without a QP share. They are filled so that all pages are arrays of one kind, without holes. */
const EMPTY_PAGE: readonly QpSlots[] = Array.from({ length: PAGE_ENTRIES }, () => NO_QP);
const EMPTY_PAGES: readonly (readonly QpSlots[])[] = Array.from({ length: PAGE_ENTRIES }, () => EMPTY_PAGE);

/** The QPs of a context whose rings `verbs` works on. */
export class QpTable {
  private readonly pages: (readonly QpSlots[])[] = EMPTY_PAGES.slice();
  readonly #xrcSrqs = new Map<number, QpSlots>();

  /** The queues of a QP, or {@link NO_QP}. Any number will do: it comes from memory that others can write. */
  get(qpNum: number): QpSlots {
    return this.pages[(qpNum >>> PAGE_BITS) & PAGE_MASK][qpNum & PAGE_MASK];
  }

  /** Adds a QP. */
  add(qp: QpSlots): void {
    this.#set(qp.qpNum, qp);
  }

  /** Removes a QP; its CQEs are skipped from now on. */
  remove(qpNum: number): void {
    this.#set(qpNum, NO_QP);
  }

  /** The queue of an XRC SRQ, or {@link NO_QP}. Its completions name QPs that often are somebody else's. */
  getXrcSrq(srqNum: number): QpSlots {
    return this.#xrcSrqs.get(srqNum) ?? NO_QP;
  }

  /** Adds an XRC SRQ. */
  addXrcSrq(srqNum: number, srq: SrqSlots): void {
    this.#xrcSrqs.set(srqNum, new QpSlots(NO_QP.qpNum, NO_QP.send, NO_QP.recv, srq));
  }

  /** Removes an XRC SRQ; its CQEs are skipped from now on. */
  removeXrcSrq(srqNum: number): void {
    this.#xrcSrqs.delete(srqNum);
  }

  #set(qpNum: number, qp: QpSlots): void {
    const page = qpNum >>> PAGE_BITS;
    let entries = this.pages[page] as QpSlots[];
    if (entries === EMPTY_PAGE) entries = this.pages[page] = EMPTY_PAGE.slice();
    entries[qpNum & PAGE_MASK] = qp;
  }
}
