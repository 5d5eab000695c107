/**
 * The floor: the least that an RDMA write costs in JavaScript with the checks that verbs require. QP state, SQ and CQ limits,
 * local and remote key, PD, range and access, page-list translation, the last word published in order, one device lock with
 * marks; and nothing else: two QPs, one opcode, one SGE, no errors that explain, no recovery, no second provider.
 *
 * A yardstick, not a design. All of it is one module over constants, because V8 then knows the memory's address when it
 * compiles; the views of an object it has to load. Main thread and worker share the memory by `workerData.floorMemory`.
 */
import { workerData } from 'node:worker_threads';

interface Memory {
  readonly buffer: SharedArrayBuffer;
}
interface Wasm {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
interface Exports {
  readonly copy: (destination: number, source: number, length: number) => void;
}

const wasm = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly;
const WASM_PAGES = 1024;

/** Memory of the floor's device and of its two programs, 64 MiB. */
export const floorMemory: Memory =
  (workerData as { readonly floorMemory?: Memory } | null)?.floorMemory ??
  new wasm.Memory({ initial: WASM_PAGES, maximum: WASM_PAGES, shared: true });

// prettier-ignore
const COPY_MODULE = Uint8Array.of(
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x07, 0x01, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x00, // (i32, i32, i32)
  0x02, 0x0d, 0x01, 0x01, 0x6d, 0x03, 0x6d, 0x65, 0x6d, 0x02, 0x03, 0x01, 0x80, 0x80, 0x04, // import "m" "mem", shared
  0x03, 0x02, 0x01, 0x00, 0x07, 0x08, 0x01, 0x04, 0x63, 0x6f, 0x70, 0x79, 0x00, 0x00, // export "copy"
  0x0a, 0x0e, 0x01, 0x0c, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfc, 0x0a, 0x00, 0x00, 0x0b, // memory.copy
);
const instance = new wasm.Instance(new wasm.Module(COPY_MODULE), { m: { mem: floorMemory } });
const { copy } = instance.exports as Exports;
const i32 = new Int32Array(floorMemory.buffer);
const u8 = new Uint8Array(floorMemory.buffer);

/** Entries of a send queue and of a completion queue. */
const DEPTH = 64;
const DEPTH_LOG2 = 6;
const PAGE_SHIFT = 12;
const PAGE_MASK = 4095;

const RINGS = 0x10000;
const TPT = 0x80000;
const QPCS = 0x90000;
const LOCK = 0xa0000 >>> 2;
const MARKS = 0xa0040 >>> 2;
const PAGE_LISTS = 0xb0000;
const REGION_BYTES = 0x400000;

/** Words of a QP context; the doorbell record is part of it. */
const SQ_HEAD = 0;
const SQ_TAIL = 1;
const SQ_BASE = 2;
const CQ_BASE = 3;
const CQ_PRODUCER = 4;
const PD = 5;
const STATE = 6;
const CQ_CONSUMER = 7;
const PEER = 8;

/** Words of a TPT entry. */
const KEY = 0;
const START = 1;
const LENGTH = 2;
const MR_PD = 3;
const ACCESS = 4;
const PAGE_LIST = 5;

const RTS = 3;
const REMOTE_WRITE = 2;
const SIGNALED = 2;
const OP_RDMA_WRITE = 0;
const LOC_QP_OP_ERR = 2;
const LOC_PROT_ERR = 4;
const WR_FLUSH_ERR = 5;
const REM_ACCESS_ERR = 10;
const TWO_32 = 4294967296;

const contextOf = (qpn: number): number => (QPCS + qpn * 64) >>> 2;
const entryOf = (key: number): number => (TPT + ((key >>> 8) & 0xff) * 32) >>> 2;

/** Memory region of QP `id`: where it begins, and its key. */
export const regionOf = (id: number): number => REGION_BYTES * (1 + id);
export const keyOf = (id: number): number => ((id + 1) << 8) | 0x5a;

/** Where within a region the peer writes to. */
export const INBOX = REGION_BYTES / 2;

/** Makes two QPs, 0 and 1, each other's peer, and a region for each. Once, on one thread. */
export function createFloor(): void {
  for (const id of [0, 1]) {
    const q = contextOf(id);
    const mr = entryOf(keyOf(id));
    const pages = PAGE_LISTS + id * 4096;
    i32[q + SQ_BASE] = RINGS * (1 + id);
    i32[q + CQ_BASE] = i32[q + SQ_BASE] + 0x8000;
    i32[q + PD] = i32[mr + MR_PD] = 7 + id;
    i32[q + STATE] = RTS;
    i32[q + PEER] = 1 - id;
    i32[mr + KEY] = keyOf(id);
    i32[mr + START] = regionOf(id);
    i32[mr + LENGTH] = REGION_BYTES;
    i32[mr + ACCESS] = 7;
    i32[mr + PAGE_LIST] = pages;
    for (let n = 0; n < REGION_BYTES >>> PAGE_SHIFT; n++) i32[(pages >>> 2) + n] = regionOf(id) + (n << PAGE_SHIFT);
  }
}

/** Work request and completion, as the floor's programs hold them: made once, filled again and again. */
export class FloorWr {
  wrId = 0.5;
  opcode = OP_RDMA_WRITE;
  sendFlags = SIGNALED;
  sgList = [{ addr: 0, length: 0, lkey: 0 }];
  remoteAddr = 0;
  rkey = 0;
}

export class FloorWc {
  wrId = 0.5;
  status = 0;
  opcode = 0;
  byteLen = 0;
  qpNum = 0;
}

/** A queue pair with its CQ, as its program sees it. */
export class FloorQp {
  private readonly qpn: number;
  private readonly context: number;
  private readonly sq: number;
  private readonly cq: number;
  private head: number;
  private consumer: number;

  constructor(qpn: number) {
    this.qpn = qpn;
    this.context = contextOf(qpn);
    this.head = i32[this.context + SQ_HEAD];
    this.consumer = i32[this.context + CQ_CONSUMER];
    this.sq = i32[this.context + SQ_BASE];
    this.cq = i32[this.context + CQ_BASE];
  }

  postSend(wr: FloorWr): void {
    if (this.head - Atomics.load(i32, this.context + SQ_TAIL) >= DEPTH) throw new Error('ENOMEM');
    const w = (this.sq + ((this.head & (DEPTH - 1)) << 6)) >>> 2;
    const sge = wr.sgList[0];
    i32[w] = wr.opcode;
    i32[w + 1] = wr.sendFlags;
    i32[w + 2] = wr.wrId;
    i32[w + 3] = wr.wrId / TWO_32;
    i32[w + 4] = sge.lkey;
    i32[w + 5] = sge.addr;
    i32[w + 6] = sge.addr / TWO_32;
    i32[w + 7] = sge.length;
    i32[w + 8] = wr.rkey;
    i32[w + 9] = wr.remoteAddr;
    i32[w + 10] = wr.remoteAddr / TWO_32;
    this.head = (this.head + 1) | 0;
    Atomics.store(i32, this.context, this.head);
    ring(this.qpn);
  }

  poll(wc: FloorWc): number {
    const e = (this.cq + ((this.consumer & (DEPTH - 1)) << 5)) >>> 2;
    if (Atomics.load(i32, e + 7) !== ((this.consumer >>> DEPTH_LOG2) & 1) + 1) return 0;
    wc.wrId = (i32[e] >>> 0) + i32[e + 1] * TWO_32;
    wc.status = i32[e + 2];
    wc.opcode = i32[e + 3];
    wc.byteLen = i32[e + 4];
    wc.qpNum = i32[e + 5];
    this.consumer = (this.consumer + 1) | 0;
    Atomics.store(i32, this.context + CQ_CONSUMER, this.consumer);
    return 1;
  }
}

/** The doorbell: marks the QP, tries the lock, drains what is marked, unlocks and looks again. */
function ring(qpn: number): void {
  Atomics.or(i32, MARKS, 1 << qpn);
  while (Atomics.load(i32, MARKS) !== 0 && Atomics.compareExchange(i32, LOCK, 0, 1) === 0) {
    const marks = Atomics.exchange(i32, MARKS, 0);
    if (marks & 1) execute(0);
    if (marks & 2) execute(1);
    Atomics.store(i32, LOCK, 0);
  }
}

/** The device: executes a send queue as far as it is filled. */
function execute(qpn: number): void {
  const q = contextOf(qpn);
  const head = Atomics.load(i32, q + SQ_HEAD);
  let tail = i32[q + SQ_TAIL];
  while (tail !== head) {
    const w = (i32[q + SQ_BASE] + ((tail & (DEPTH - 1)) << 6)) >>> 2;
    const opcode = i32[w];
    const flags = i32[w + 1];
    const length = i32[w + 7] >>> 0;
    const status = transfer(q, opcode, i32[w + 4], i32[w + 5], length, i32[w + 8], i32[w + 9]);
    if (flags & SIGNALED || status !== 0) {
      const producer = i32[q + CQ_PRODUCER];
      if (producer - Atomics.load(i32, q + CQ_CONSUMER) >= DEPTH) throw new Error('CQ overrun');
      const e = (i32[q + CQ_BASE] + ((producer & (DEPTH - 1)) << 5)) >>> 2;
      i32[e] = i32[w + 2];
      i32[e + 1] = i32[w + 3];
      i32[e + 2] = status;
      i32[e + 3] = opcode;
      i32[e + 4] = length;
      i32[e + 5] = qpn;
      Atomics.store(i32, e + 7, ((producer >>> DEPTH_LOG2) & 1) + 1);
      i32[q + CQ_PRODUCER] = (producer + 1) | 0;
    }
    tail = (tail + 1) | 0;
  }
  Atomics.store(i32, q + SQ_TAIL, tail);
}

/** Checks a write and carries it out; returns its status. */
function transfer(
  q: number,
  opcode: number,
  lkey: number,
  addr: number,
  length: number,
  rkey: number,
  remoteAddr: number,
): number {
  const peer = contextOf(i32[q + PEER]);
  const local = entryOf(lkey);
  const remote = entryOf(rkey);
  if (i32[q + STATE] !== RTS || i32[peer + STATE] !== RTS) return WR_FLUSH_ERR;
  if (opcode !== OP_RDMA_WRITE) return LOC_QP_OP_ERR;
  if (i32[local + KEY] !== lkey || i32[local + MR_PD] !== i32[q + PD]) return LOC_PROT_ERR;
  if (i32[remote + KEY] !== rkey || i32[remote + MR_PD] !== i32[peer + PD] || !(i32[remote + ACCESS] & REMOTE_WRITE)) {
    return REM_ACCESS_ERR;
  }
  const source = translate(local, addr, length);
  const destination = translate(remote, remoteAddr, length);
  if (source < 0) return LOC_PROT_ERR;
  if (destination < 0) return REM_ACCESS_ERR;
  publish(destination, source, length);
  return 0;
}

/** Machine address of a run of bytes, or -1 when it leaves its region or its pages do not follow each other. */
function translate(mr: number, addr: number, length: number): number {
  const offset = (addr - i32[mr + START]) >>> 0;
  if (offset + length > i32[mr + LENGTH] >>> 0) return -1;
  const first = (i32[mr + PAGE_LIST] + ((offset >>> PAGE_SHIFT) << 2)) >>> 2;
  const base = i32[first];
  const pages = ((offset & PAGE_MASK) + length + PAGE_MASK) >>> PAGE_SHIFT;
  for (let n = 1; n < pages; n++) if (i32[first + n] !== base + (n << PAGE_SHIFT)) return -1;
  return (base + (offset & PAGE_MASK)) >>> 0;
}

/** Moves all but the last word by memory.copy, then stores that one in order. */
function publish(destination: number, source: number, length: number): void {
  if (length >= 4 && ((destination + length) & 3) === 0 && ((source + length) & 3) === 0) {
    if (length > 4) copy(destination, source, length - 4);
    Atomics.store(i32, (destination + length - 4) >>> 2, i32[(source + length - 4) >>> 2]);
  } else {
    copy(destination, source, length - 1);
    Atomics.store(u8, destination + length - 1, u8[source + length - 1]);
  }
}
