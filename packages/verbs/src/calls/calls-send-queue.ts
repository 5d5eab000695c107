/** Posts sends through the provider; the extended form in work requests of its own. */
import type { QpCap } from '../attributes/qp.ts';
import type { SendPath } from '../data-path.ts';
import type { QpCalls } from '../driver/data-path.ts';
import { SendFlags, WrOpcode } from '../enums/wr.ts';
import { Errno } from '../errors.ts';
import type { MwBind } from '../memory-window.ts';
import type { ProtectionDomain } from '../protection-domain.ts';
import { ATOMIC_WRITE_BYTES, FLUSH_LEVEL_SHIFT } from '../rings/layout.ts';
import { SendWr } from '../send-wr.ts';
import { Sge, type SgeLike } from '../sge.ts';
import { NoOperation, StagedAddress, StagedData, type StagedSend } from '../staged-send.ts';
import { wordsToNumber } from '../words.ts';
import { SEND_FLAGS_KNOWN } from '../rings/send-flags.ts';

const { EINVAL, ENOMEM } = Errno;
const { NONE, SGE, SGE_LIST, INLINE: INLINE_DATA } = StagedData;
const { UD, XRC } = StagedAddress;
const { INLINE } = SendFlags;

/** A send queue whose WQEs the provider writes. */
export class CallsSendQueue implements SendPath {
  badWrIndex: number;
  badWr: SendWr | null;
  private readonly calls: QpCalls;
  private readonly maxWr: number;
  private readonly maxSge: number;
  private readonly maxInlineData: number;
  /** Where address handles, memory windows and their regions have to be from. */
  private readonly domain: ProtectionDomain | null;
  private ready: boolean;
  /** Work requests of the extended form, kept for reuse. */
  private readonly staging: SendWr[];
  /** Their inline data: a copy is made anew only when its length changes. */
  private readonly inlineData: Uint8Array[];

  constructor(calls: QpCalls, { maxSendWr, maxSendSge, maxInlineData }: QpCap, domain: ProtectionDomain | null) {
    this.calls = calls;
    this.domain = domain;
    this.maxWr = maxSendWr;
    this.maxSge = maxSendSge;
    this.maxInlineData = maxInlineData;
    this.badWrIndex = 0;
    this.badWr = null;
    this.ready = false;
    this.staging = [];
    this.inlineData = [];
  }

  post(wr: SendWr): number {
    this.badWrIndex = 0;
    if (!this.ready) return EINVAL;
    const bad = this.findBad(wr);
    if (bad >= 0) return this.postBefore(wr, bad);
    const errno = this.calls.postSend(wr);
    if (errno !== 0) this.badWrIndex = this.calls.badWrIndex;
    this.noteBinds(wr, errno === 0 ? Infinity : this.badWrIndex);
    return errno;
  }

  /** A window that is bound ends with its region. */
  private noteBinds(first: SendWr, posted: number): void {
    for (let wr: SendWr | null = first, n = 0; wr !== null && n < posted; wr = wr.next, n++) {
      if (wr.opcode === WrOpcode.BIND_MW && wr.bindMw !== null) wr.bindMw.mw.region = wr.bindMw.mr;
    }
  }

  setReady(ready: boolean): void {
    this.ready = ready;
  }

  reset(): void {} // the provider has done it with the modify

  append(staged: StagedSend): number {
    const errno = this.check(staged);
    if (errno !== 0) return errno;
    const { index, data, opcode, addressed, ah } = staged;
    if ((addressed & UD) !== 0 && ah !== null && (ah.destroyed || ah.domain !== this.domain)) return EINVAL;
    if (opcode === WrOpcode.BIND_MW && (data !== NONE || !this.isBindable(staged.bind))) return EINVAL;
    if (opcode >= WrOpcode.FLUSH && data !== NONE) return EINVAL;
    const wr = this.place(index);
    wr.wrId = staged.wrId;
    wr.opcode = opcode;
    wr.sendFlags = data === INLINE_DATA ? staged.flags | INLINE : staged.flags;
    wr.inlineData = data === INLINE_DATA ? this.inlineData[index] : null;
    if (data === SGE) {
      resize(wr.sgList, 1);
      const [sge] = wr.sgList;
      sge.addr = wordsToNumber(staged.addrLo, staged.addrHi);
      sge.length = staged.length >>> 0;
      sge.lkey = staged.lkey >>> 0;
    } else if (data !== SGE_LIST) resize(wr.sgList, 0);
    this.appendWords(wr, staged);
    if (opcode === WrOpcode.ATOMIC_WRITE) this.appendBytes(wr, staged);
    return 0;
  }

  setSgeList(staged: StagedSend, sges: readonly SgeLike[]): number {
    const errno = this.check(staged);
    if (errno !== 0) return errno;
    if (sges.length > this.maxSge) return EINVAL;
    const { sgList } = this.place(staged.index);
    resize(sgList, sges.length);
    for (let i = 0; i < sgList.length; i++) {
      sgList[i].addr = sges[i].addr;
      sgList[i].length = sges[i].length;
      sgList[i].lkey = sges[i].lkey;
    }
    return 0;
  }

  setInlineData(staged: StagedSend, bytes: Uint8Array): number {
    const errno = this.check(staged);
    if (errno !== 0) return errno;
    if (bytes.length > this.maxInlineData) return EINVAL;
    const kept = this.inlineData[staged.index];
    if (kept?.length === bytes.length) kept.set(bytes);
    else this.inlineData[staged.index] = bytes.slice();
    return 0;
  }

  complete(last: StagedSend): number {
    this.badWr = null;
    const errno = this.append(last);
    if (errno === 0) return this.postList(last);
    this.badWrIndex = last.index;
    return errno;
  }

  /**
   * Place in a chain of the first work request whose flags or `wrId` are none, or that names an object of another PD or device; -1 when
   * there is none. A chain without end is for the provider.
   */
  private findBad(first: SendWr): number {
    let index = 0;
    for (let wr: SendWr | null = first; wr !== null && index < this.maxWr; wr = wr.next, index++) {
      const { sendFlags } = wr;
      if ((sendFlags & SEND_FLAGS_KNOWN) !== sendFlags || !(wr.wrId >= 0)) return index;
      if (wr.ah !== null && wr.ah.domain !== this.domain) return index;
      if (wr.opcode === WrOpcode.BIND_MW && wr.bindMw !== null && !this.isOwn(wr.bindMw)) return index;
    }
    return -1;
  }

  /** Posts the first `count` of a chain, and refuses the next. */
  private postBefore(first: SendWr, count: number): number {
    if (count === 0) return EINVAL;
    let last = first;
    for (let i = 1; i < count; i++) last = last.next!;
    const { next } = last;
    last.next = null;
    try {
      const errno = this.calls.postSend(first);
      this.badWrIndex = errno === 0 ? count : this.calls.badWrIndex;
      return errno === 0 ? EINVAL : errno;
    } finally {
      last.next = next;
    }
  }

  /** Whether window and region are there, and of this PD; the window is of type 2. */
  private isBindable(bind: MwBind | null): boolean {
    return bind?.mw.bindable === true && bind.mr?.destroyed !== true && this.isOwn(bind);
  }

  private isOwn({ mw, mr }: MwBind): boolean {
    return mw.pd.domain === this.domain && (mr === null || mr.pd.domain === this.domain);
  }

  private postList(last: StagedSend): number {
    const { staging } = this;
    const { index } = last;
    for (let i = 0; i < index; i++) staging[i].next = staging[i + 1];
    staging[index].next = null;
    last.opcode = NoOperation.IDLE;
    const errno = this.post(staging[0]);
    if (errno !== 0) this.badWr = staging[this.badWrIndex] ?? null;
    return errno;
  }

  /** Whether there is a place for the work request. What it says is for the provider to check. */
  private check({ index }: StagedSend): number {
    if (!this.ready) return EINVAL;
    return index < this.maxWr ? 0 : ENOMEM;
  }

  private place(index: number): SendWr {
    return (this.staging[index] ??= new SendWr());
  }

  /** The data of an ATOMIC_WRITE, as words until here. */
  private appendBytes(wr: SendWr, { index, compareAddLo, compareAddHi }: StagedSend): void {
    const bytes = new Uint8Array(ATOMIC_WRITE_BYTES);
    const view = new DataView(bytes.buffer);
    view.setInt32(0, compareAddLo, true);
    view.setInt32(4, compareAddHi, true);
    this.inlineData[index] = bytes;
    wr.inlineData = bytes;
    wr.sendFlags |= INLINE;
  }

  private appendWords(wr: SendWr, staged: StagedSend): void {
    wr.immData = wr.invalidateRkey = staged.imm >>> 0;
    wr.rkey = staged.rkey >>> 0;
    wr.remoteAddrLo = staged.remoteAddrLo;
    wr.remoteAddrHi = staged.remoteAddrHi;
    wr.compareAddLo = staged.compareAddLo;
    wr.compareAddHi = staged.compareAddHi;
    wr.swapLo = staged.swapLo;
    wr.swapHi = staged.swapHi;
    const isFlush = staged.opcode === WrOpcode.FLUSH;
    wr.flushLength = isFlush ? staged.length >>> 0 : 0;
    wr.flushType = isFlush ? staged.imm & ((1 << FLUSH_LEVEL_SHIFT) - 1) : 0;
    wr.flushLevel = isFlush ? staged.imm >>> FLUSH_LEVEL_SHIFT : 0;
    wr.bindMw = staged.opcode === WrOpcode.BIND_MW ? staged.bind : null;
    const datagram = (staged.addressed & UD) !== 0;
    wr.ah = datagram ? staged.ah : null;
    wr.remoteQpn = datagram ? staged.remoteQpn : 0;
    wr.remoteQkey = datagram ? staged.remoteQkey >>> 0 : 0;
    wr.remoteSrqn = (staged.addressed & XRC) !== 0 ? staged.remoteSrqn : 0;
  }
}

/** Gives the list a length. Setting the length of an array costs a call into V8, so not for nothing. */
function resize(sgList: Sge[], length: number): void {
  while (sgList.length < length) sgList.push(new Sge());
  if (sgList.length !== length) sgList.length = length;
}
