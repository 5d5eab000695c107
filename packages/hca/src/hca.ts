/** One HCA of a machine: where its tables are, and the allocators of their entries. */
import { IndexAllocator, PAGE_BYTES } from '@openverbs/machine';
import type { Machine } from '@openverbs/machine';
import { type MemoryLink, portId } from '@openverbs/netdev';
import { DeviceError } from './device-error.ts';
import { checkHcaInit, type HcaInit, storePkeys } from './hca-init.ts';
import { Ah, Cqc, EngineHeader, HcaHeader, Mcast, Mpt, Port, Qpc, Srqc, Xrcdc } from './layout.ts';
import {
  AHS_MAX,
  CQS_MAX,
  HCA_NAME_BYTES_MAX,
  HCAS_MAX,
  MCAST_ATTACHMENTS_MAX,
  MPTS_MAX,
  PDS_MAX,
  PORT_GIDS_MAX,
  PORTS_MAX,
  QPS_MAX,
  SRQS_MAX,
  XRCDS_MAX,
} from './limits.ts';

/** Owner of the device's own memory, above all thread slots. */
export const OWNER_DEVICE = 0x10000;

/** QP 0 and QP 1 belong to the management interfaces. */
export const RESERVED_QPS = 2;
/** PD 0 is the driver's own. */
export const RESERVED_PDS = 1;

/** No key has the index 0: the low byte of a window's key is its owner's to choose, and 0 is no key. */
export const RESERVED_MPTS = 1;

export class Hca {
  /** Word index of the header. */
  readonly header: number;
  readonly index: number;
  readonly name: string;
  readonly ports: number;
  readonly qpTable: number;
  readonly cqTable: number;
  readonly srqTable: number;
  readonly xrcdTable: number;
  readonly mptTable: number;
  readonly ahTable: number;
  readonly qps: IndexAllocator;
  readonly cqs: IndexAllocator;
  readonly srqs: IndexAllocator;
  readonly xrcds: IndexAllocator;
  readonly mpts: IndexAllocator;
  readonly pds: IndexAllocator;
  readonly ahs: IndexAllocator;
  readonly #machine: Machine;

  /** The HCA whose header is at word `header`, made by whatever thread. */
  constructor(machine: Machine, header: number) {
    const { i32, u8 } = machine;
    this.#machine = machine;
    this.header = header;
    this.index = i32[header + HcaHeader.INDEX];
    this.ports = i32[header + HcaHeader.PORTS];
    const nameAt = (header + HcaHeader.NAME) * 4;
    // TextDecoder takes no shared memory.
    const bytes = Uint8Array.from(u8.subarray(nameAt, nameAt + HcaHeader.NAME_BYTES));
    this.name = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
    this.qpTable = i32[header + HcaHeader.QP_TABLE];
    this.cqTable = i32[header + HcaHeader.CQ_TABLE];
    this.srqTable = i32[header + HcaHeader.SRQ_TABLE];
    this.xrcdTable = i32[header + HcaHeader.XRCD_TABLE];
    this.mptTable = i32[header + HcaHeader.MPT_TABLE];
    const allocator = (word: number, capacity: number): IndexAllocator =>
      new IndexAllocator(machine, i32[header + word] * 4, capacity);
    this.qps = allocator(HcaHeader.QP_ALLOCATOR, QPS_MAX);
    this.cqs = allocator(HcaHeader.CQ_ALLOCATOR, CQS_MAX);
    this.srqs = allocator(HcaHeader.SRQ_ALLOCATOR, SRQS_MAX);
    this.xrcds = allocator(HcaHeader.XRCD_ALLOCATOR, XRCDS_MAX);
    this.mpts = allocator(HcaHeader.MPT_ALLOCATOR, MPTS_MAX);
    this.pds = allocator(HcaHeader.PD_ALLOCATOR, PDS_MAX);
    this.ahTable = i32[header + HcaHeader.AH_TABLE];
    this.ahs = allocator(HcaHeader.AH_ALLOCATOR, AHS_MAX);
  }

  /** All 64 bits of the node GUID, as two words. */
  get guid(): readonly [hi: number, lo: number] {
    const { i32 } = this.#machine;
    return [i32[this.header + HcaHeader.GUID_HI] >>> 0, i32[this.header + HcaHeader.GUID_LO] >>> 0];
  }

  /** GID of a port at an index of its table, as 16 bytes; the first is the link-local address made of the port's GUID. */
  gid(port: number, index = 0): Uint8Array {
    const at = this.#gidAt(port, index) * 4;
    return Uint8Array.from(this.#machine.u8.subarray(at, at + 16));
  }

  /** GIDs of a port. */
  gidCount(port: number): number {
    return Atomics.load(this.#machine.i32, this.header + HcaHeader.GID_COUNTS + port - 1);
  }

  /** Writes an entry of a port's GID table. */
  storeGid(port: number, index: number, words: Int32Array): void {
    this.#machine.i32.set(words, this.#gidAt(port, index));
  }

  checkPort(port: number): void {
    if (Number.isInteger(port) && port >= 1 && port <= this.ports) return;
    throw new DeviceError('EINVAL', `the device has ports 1 to ${this.ports}, not ${port}`);
  }

  checkGidIndex(port: number, index: number): void {
    this.checkPort(port);
    const count = this.gidCount(port);
    if (Number.isInteger(index) && index >= 0 && index < count) return;
    const table = count === 1 ? '1 entry' : `${count} entries`;
    throw new DeviceError('EINVAL', `GID index ${index} is beyond the table of ${table} of port ${port}`);
  }

  checkPkeyIndex(port: number, index: number): void {
    this.checkPort(port);
    const count = this.portWord(port, Port.PKEY_COUNT);
    if (Number.isInteger(index) && index >= 0 && index < count) return;
    throw new DeviceError('EINVAL', `P_Key index ${index} is beyond the table of ${count}`);
  }

  #gidAt(port: number, index: number): number {
    return this.#machine.i32[this.header + HcaHeader.GID_TABLE] + ((port - 1) * PORT_GIDS_MAX + index) * 4;
  }

  /** P_Key of a port; the index is within the table. */
  pkey(port: number, index: number): number {
    return this.portWord(port, Port.PKEYS + index);
  }

  /** Writes an entry of a port's P_Key table. */
  storePkey(port: number, index: number, pkey: number): void {
    const { i32 } = this.#machine;
    const table = i32[this.header + HcaHeader.PORT_TABLE] + (port - 1) * Port.WORDS + Port.PKEYS;
    Atomics.store(i32, table + index, pkey);
  }

  /** A word of {@link Port}. */
  portWord(port: number, word: number): number {
    const { i32 } = this.#machine;
    return Atomics.load(i32, i32[this.header + HcaHeader.PORT_TABLE] + (port - 1) * Port.WORDS + word);
  }

  /** What exists, for those who look for leaks. */
  get objects(): Readonly<Record<'qps' | 'cqs' | 'srqs' | 'xrcds' | 'mrs' | 'pds' | 'ahs', number>> {
    return {
      qps: this.qps.inUse - RESERVED_QPS,
      cqs: this.cqs.inUse,
      srqs: this.srqs.inUse,
      xrcds: this.xrcds.inUse,
      mrs: this.mpts.inUse - RESERVED_MPTS,
      pds: this.pds.inUse - RESERVED_PDS,
      ahs: this.ahs.inUse,
    };
  }

  /** Makes the tables of a new HCA. The machine's lock must be held. */
  static create(machine: Machine, engine: number, link: MemoryLink, init: HcaInit): Hca {
    const { i32, u8 } = machine;
    const index = i32[engine + EngineHeader.HCA_COUNT];
    if (index >= HCAS_MAX) throw new DeviceError('ENOSPC', `a machine has at most ${HCAS_MAX} HCAs`);
    const gids = checkHcaInit(init, link);
    const header = allocWords(machine, HcaHeader.WORDS);
    i32[header + HcaHeader.INDEX] = index;
    i32[header + HcaHeader.PORTS] = init.ports;
    i32[header + HcaHeader.GUID_HI] = init.guidHi;
    i32[header + HcaHeader.GUID_LO] = init.guidLo;
    u8.set(new TextEncoder().encode(init.name).subarray(0, HCA_NAME_BYTES_MAX), (header + HcaHeader.NAME) * 4);
    for (const [word, words] of TABLES) i32[header + word] = allocWords(machine, words);
    for (const [word, capacity] of ALLOCATORS) {
      i32[header + word] = allocWords(machine, IndexAllocator.bytes(capacity) / 4);
    }
    storePkeys(i32, i32[header + HcaHeader.PORT_TABLE], init);
    const hca = new Hca(machine, header);
    for (let qp = 0; qp < RESERVED_QPS; qp++) hca.qps.alloc();
    for (let pd = 0; pd < RESERVED_PDS; pd++) hca.pds.alloc();
    for (let mpt = 0; mpt < RESERVED_MPTS; mpt++) hca.mpts.alloc();
    gids.forEach((words, at) => {
      words.forEach((gid, gidIndex) => {
        hca.storeGid(at + 1, gidIndex, gid);
        link.attach(gid, portId(index, at + 1), gidIndex);
      });
      i32[header + HcaHeader.GID_COUNTS + at] = words.length;
    });
    i32[engine + EngineHeader.HCAS + index] = header;
    Atomics.store(i32, engine + EngineHeader.HCA_COUNT, index + 1);
    return hca;
  }
}

/** Words of each table, by where the header has it. */
const TABLES: readonly (readonly [header: number, words: number])[] = [
  [HcaHeader.QP_TABLE, QPS_MAX * Qpc.WORDS],
  [HcaHeader.CQ_TABLE, CQS_MAX * Cqc.WORDS],
  [HcaHeader.SRQ_TABLE, SRQS_MAX * Srqc.WORDS],
  [HcaHeader.XRCD_TABLE, XRCDS_MAX * Xrcdc.WORDS],
  [HcaHeader.MPT_TABLE, MPTS_MAX * Mpt.WORDS],
  [HcaHeader.PD_TABLE, PDS_MAX],
  [HcaHeader.AH_TABLE, AHS_MAX * Ah.WORDS],
  [HcaHeader.PORT_TABLE, PORTS_MAX * Port.WORDS],
  [HcaHeader.MCAST_TABLE, MCAST_ATTACHMENTS_MAX * Mcast.WORDS],
  [HcaHeader.GID_TABLE, PORTS_MAX * PORT_GIDS_MAX * 4],
];

/** Entries of each table that has an allocator, by where the header has that. */
const ALLOCATORS: readonly (readonly [header: number, capacity: number])[] = [
  [HcaHeader.QP_ALLOCATOR, QPS_MAX],
  [HcaHeader.CQ_ALLOCATOR, CQS_MAX],
  [HcaHeader.SRQ_ALLOCATOR, SRQS_MAX],
  [HcaHeader.XRCD_ALLOCATOR, XRCDS_MAX],
  [HcaHeader.MPT_ALLOCATOR, MPTS_MAX],
  [HcaHeader.PD_ALLOCATOR, PDS_MAX],
  [HcaHeader.AH_ALLOCATOR, AHS_MAX],
];

/** Allocates zeroed words of the device's own memory; a word index. */
export function allocWords(machine: Machine, words: number, owner = OWNER_DEVICE): number {
  const addr = machine.pages.alloc(words * 4, PAGE_BYTES, owner);
  if (addr === 0) {
    throw new DeviceError(
      'ENOMEM',
      `no ${words * 4} bytes of machine memory are left in one run`,
      'give the machine more memoryBytes',
    );
  }
  return addr >>> 2;
}
