/**
 * The user half of the driver: how large the memory of a queue is, the rings in it, and the doorbells of one UAR. The contexts of the
 * HCA use it for their own queues, front-ends for queues in pages of their domain: it is the same data path.
 */
import { Machine, PAGE_BYTES } from '@openverbs/machine';
import { VerbsError } from '@openverbs/verbs';
import type {
  CqGeometry,
  CqRings,
  QpGeometry,
  QpRings,
  QpShape,
  SrqGeometry,
  SrqRings,
  UserDriver,
  UserHalf,
  UserHalfHandle,
  UserHalfHost,
} from '@openverbs/verbs/driver';
import { CQ_DOORBELL_RECORD_BYTES, QP_DOORBELL_RECORD_BYTES, SRQ_DOORBELL_RECORD_BYTES } from '@openverbs/verbs/rings';
import { DeviceError } from '../device-error.ts';
import { Engine } from '../engine.ts';
import { traceEngine } from './tracing.ts';
import type { Hca } from '../hca.ts';
import { UarControl } from '../layout.ts';
import { UARS_MAX } from '../limits.ts';
import { SEND_OPCODES } from '../opcode.ts';
import { DirectDoorbell } from './direct-doorbell.ts';
import { asVerbsError } from './errors.ts';
import { cqGeometry, qpGeometry, type QpRingSizes, srqGeometry, type SrqRingSizes } from './ring-geometry.ts';

/** Name of the driver in a {@link UserHalfHandle}. */
const DRIVER = 'hca';

/** The memory of a CQ, and log2 of its entries. */
export interface HcaCqGeometry extends CqGeometry {
  readonly log2Count: number;
}

/** The memory of a QP, and its rings. */
export interface HcaQpGeometry extends QpGeometry {
  readonly rings: QpRingSizes;
  readonly sendOpcodes: number;
}

/** The memory of an SRQ, and its ring. */
export interface HcaSrqGeometry extends SrqGeometry {
  readonly ring: SrqRingSizes;
}

export class HcaUserHalf implements UserHalf {
  readonly doorbell: DirectDoorbell;
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;

  /**
   * @param page - word index of the page of the UAR, where this thread has it mapped
   * @param memory - knows what the addresses of the program mean
   */
  constructor(engine: Engine, hca: Hca, uar: number, page: number, memory: Pick<UserHalfHost, 'inlineSource'>) {
    this.doorbell = new DirectDoorbell(engine, uar, page, hca.qpTable, memory);
    this.#i32 = engine.machine.i32;
    this.#u8 = engine.machine.u8;
  }

  cqGeometry(cqe: number): HcaCqGeometry {
    const { log2Count, bytes } = asVerbsError(() => cqGeometry(cqe));
    return { cqe: 2 ** log2Count, bytes, log2Count };
  }

  qpGeometry({ qpType, cap: asked, withSrq }: QpShape): HcaQpGeometry {
    const sendOpcodes = SEND_OPCODES[qpType];
    if (sendOpcodes === undefined) {
      throw new VerbsError({
        code: 'EOPNOTSUPP',
        message: `QP type ${qpType} is not supported by this device`,
        hint: 'use QpType.RC, UC, UD, XRC_SEND or XRC_RECV',
      });
    }
    const { cap, bytes, ...rings } = asVerbsError(() => qpGeometry(asked, withSrq));
    return { cap, bytes, rings, sendOpcodes };
  }

  srqGeometry(maxWr: number, maxSge: number): HcaSrqGeometry {
    const { bytes, ...ring } = asVerbsError(() => srqGeometry(maxWr, maxSge));
    return { ringWr: 2 ** ring.log2Count, maxWr, maxSge, bytes, ring };
  }

  cqRings(addr: number, { log2Count }: HcaCqGeometry): CqRings {
    return {
      kind: 'rings',
      i32: this.#i32,
      doorbell: this.doorbell,
      doorbellRecordAddr: addr,
      cqAddr: addr + CQ_DOORBELL_RECORD_BYTES,
      log2Count,
    };
  }

  qpRings(addr: number, { rings, cap, sendOpcodes }: HcaQpGeometry, qpNum: number): QpRings {
    const sqAddr = addr + QP_DOORBELL_RECORD_BYTES;
    return {
      kind: 'rings',
      qpNum,
      i32: this.#i32,
      u8: this.#u8,
      doorbell: this.doorbell,
      doorbellRecordAddr: addr,
      sqAddr,
      rqAddr: sqAddr + 2 ** (rings.sqLog2Count + rings.sqLog2Bytes),
      ...rings,
      ...cap,
      sendOpcodes,
    };
  }

  srqRings(addr: number, { ring, maxSge, ...geometry }: HcaSrqGeometry, maxWr = geometry.maxWr): SrqRings {
    const { log2Count, wqeLog2Bytes, wqeOffset } = ring;
    return {
      kind: 'rings',
      i32: this.#i32,
      doorbellRecordAddr: addr,
      ringAddr: addr + SRQ_DOORBELL_RECORD_BYTES,
      wqeAddr: addr + wqeOffset,
      log2Count,
      wqeLog2Bytes,
      maxWr,
      maxSge,
    };
  }
}

/** What a user half is made of elsewhere: the UAR's page, which is what gives the right to it, and the numbers of UAR and HCA. */
export function userHalfHandle(engine: Engine, hca: Hca, uar: number): UserHalfHandle {
  return { driver: DRIVER, pages: [engine.uars.pageOf(uar) * 4], words: [uar, hca.index] };
}

/** The driver of the HCA for front-ends: the machine is one that the calling thread has joined. */
export const userDriver: UserDriver = { name: DRIVER, open: (handle, host) => asVerbsError(() => open(handle, host)) };

function open({ driver, pages, words }: UserHalfHandle, host: UserHalfHost): UserHalf {
  if (driver !== DRIVER) throw new DeviceError('EINVAL', `the handle is of the driver ${driver}, not of ${DRIVER}`);
  const { machine } = host;
  if (!(machine instanceof Machine)) {
    throw new DeviceError('EINVAL', 'host.machine is no machine', 'give the Machine that this thread has joined');
  }
  const engine = Engine.of(machine, host.clock);
  const [uar, index] = words;
  const hca = engine?.hcas[index];
  if (engine === undefined || hca === undefined) {
    throw new DeviceError('EINVAL', `the machine ${machine.handle.name} has no HCA ${index}`);
  }
  checkUar(engine, hca, uar, pages);
  // This thread executes the device by this engine, so what it does there is told here.
  traceEngine(engine);
  return new HcaUserHalf(engine, hca, uar, pages[0] / 4, host);
}

/** Who has the page of a UAR has the UAR; a number alone is nothing. */
function checkUar(engine: Engine, hca: Hca, uar: number, pages: readonly number[]): void {
  const known = Number.isInteger(uar) && uar > 0 && uar < UARS_MAX;
  const page = known ? engine.uars.pageOf(uar) * 4 : 0;
  const owner = known ? engine.machine.i32[engine.uars.control(uar) + UarControl.HCA] : -1;
  if (page !== 0 && pages.length === 1 && pages[0] === page && owner === hca.index) return;
  const where = pages.map((addr) => `0x${addr.toString(16)}`).join(', ');
  throw new DeviceError(
    'EINVAL',
    `the page ${where} is not that of UAR ${uar}`,
    `a UAR is a page of ${PAGE_BYTES} bytes`,
  );
}
