/** Posts sends through the provider; builds the extended form in work requests of its own. */
import type { AddressHandle } from '../address-handle.ts';
import type { SendPath, WrDefaults } from '../data-path.ts';
import type { QpCalls } from '../driver/data-path.ts';
import { SendFlags } from '../enums/wr.ts';
import { Errno } from '../errors.ts';
import { SendWr } from '../send-wr.ts';
import { Sge, type SgeLike } from '../sge.ts';
import { highWord } from '../words.ts';

const { EINVAL, ENOMEM } = Errno;

/** A send queue whose WQEs the provider writes. */
export class CallsSendQueue implements SendPath {
  badWrIndex: number;
  private owner: WrDefaults;
  private readonly calls: QpCalls;
  private readonly maxWr: number;
  private ready: boolean;
  private building: boolean;
  /** Work requests of the extended form, kept for reuse; `count` are in use. */
  private readonly staging: SendWr[];
  private count: number;
  /** The one that setters write to. */
  private current: SendWr | null;
  private failure: number;

  constructor(calls: QpCalls, maxWr: number) {
    this.calls = calls;
    this.maxWr = maxWr;
    this.badWrIndex = 0;
    this.owner = { wrId: 0, wrFlags: 0 };
    this.ready = false;
    this.building = false;
    this.staging = [];
    this.count = 0;
    this.current = null;
    this.failure = 0;
  }

  bind(owner: WrDefaults): void {
    this.owner = owner;
  }

  get isBuilding(): boolean {
    return this.building;
  }

  post(wr: SendWr): number {
    this.badWrIndex = 0;
    if (!this.ready || this.building) return EINVAL;
    const errno = this.calls.postSend(wr);
    if (errno !== 0) this.badWrIndex = this.calls.badWrIndex;
    return errno;
  }

  setReady(ready: boolean): void {
    this.abort();
    this.ready = ready;
  }

  reset(): void {} // the provider has done it with the modify

  start(): void {
    this.building = true;
    this.count = 0;
    this.current = null;
    this.failure = 0;
  }

  send(opcode: number): void {
    this.open(opcode);
  }

  sendImm(opcode: number, imm: number): void {
    const wr = this.open(opcode);
    wr.immData = wr.invalidateRkey = imm >>> 0;
  }

  rdma(opcode: number, rkey: number, remoteAddr: number): void {
    const wr = this.open(opcode);
    wr.rkey = rkey;
    wr.remoteAddrLo = remoteAddr | 0;
    wr.remoteAddrHi = highWord(remoteAddr);
  }

  rdmaImm(opcode: number, rkey: number, remoteAddr: number, imm: number): void {
    this.rdma(opcode, rkey, remoteAddr);
    this.current!.immData = imm >>> 0;
  }

  atomic(
    opcode: number,
    rkey: number,
    remoteAddr: number,
    lo: number,
    hi: number,
    swapLo: number,
    swapHi: number,
  ): void {
    this.rdma(opcode, rkey, remoteAddr);
    const wr = this.current!;
    wr.compareAddLo = lo;
    wr.compareAddHi = hi;
    wr.swapLo = swapLo;
    wr.swapHi = swapHi;
  }

  setRemoteAddr(lo: number, hi: number): void {
    const wr = this.current;
    if (wr === null) return this.refuse(EINVAL);
    wr.remoteAddrLo = lo;
    wr.remoteAddrHi = hi;
  }

  setDatagram(ah: AddressHandle, remoteQpn: number, remoteQkey: number): void {
    const wr = this.current;
    if (wr === null || ah.destroyed) return this.refuse(EINVAL);
    wr.ah = ah;
    wr.remoteQpn = remoteQpn;
    wr.remoteQkey = remoteQkey >>> 0;
  }

  setXrcSrqn(remoteSrqn: number): void {
    if (this.current === null) return this.refuse(EINVAL);
    this.current.remoteSrqn = remoteSrqn;
  }

  setSge(lkey: number, addr: number, length: number): void {
    const wr = this.current;
    if (wr === null) return this.refuse(EINVAL);
    const sge = (wr.sgList[0] ??= new Sge());
    wr.sgList.length = 1;
    sge.addr = addr;
    sge.length = length;
    sge.lkey = lkey;
  }

  setSgeList(sges: readonly SgeLike[]): void {
    const wr = this.current;
    if (wr === null) return this.refuse(EINVAL);
    wr.sgList.length = Math.min(wr.sgList.length, sges.length);
    for (let i = 0; i < sges.length; i++) {
      const sge = (wr.sgList[i] ??= new Sge());
      sge.addr = sges[i].addr;
      sge.length = sges[i].length;
      sge.lkey = sges[i].lkey;
    }
  }

  setInlineData(bytes: Uint8Array): void {
    const wr = this.current;
    if (wr === null) return this.refuse(EINVAL);
    wr.inlineData = bytes.slice(); // the caller may change its bytes before complete()
    wr.sendFlags |= SendFlags.INLINE;
  }

  complete(): number {
    const { building, failure, count, staging } = this;
    this.abort();
    if (!building) return EINVAL;
    if (failure !== 0 || count === 0) return failure;
    for (let i = 0; i < count; i++) staging[i].next = i + 1 < count ? staging[i + 1] : null;
    return this.post(staging[0]);
  }

  abort(): void {
    this.building = false;
    this.current = null;
  }

  /** Takes the next work request of the staging. After a mistake it is one that is never posted. */
  private open(opcode: number): SendWr {
    this.current = null; // a mistake from here on is this operation's, not a setter's of the one before
    if (!this.building || !this.ready) this.refuse(EINVAL);
    else if (this.count >= this.maxWr) this.refuse(ENOMEM);
    const wr = (this.staging[this.count] ??= new SendWr());
    if (this.building && this.failure === 0) this.count++;
    wr.wrId = this.owner.wrId;
    wr.opcode = opcode;
    wr.sendFlags = this.owner.wrFlags;
    wr.sgList.length = 0;
    wr.inlineData = null;
    wr.ah = null;
    this.current = wr;
    return wr;
  }

  /** Remembers the first mistake. */
  private refuse(errno: number): void {
    if (!this.building || this.failure !== 0) return;
    this.failure = errno;
    this.badWrIndex = Math.max(0, this.count - (this.current === null ? 0 : 1));
  }
}
