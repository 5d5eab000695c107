/** An open device: the control operations. */
import {
  Gid,
  GidType,
  VerbsError,
  type DeviceAttr,
  type GidEntry,
  type PortAttr,
  type QpAttr,
  type QpCap,
} from '@openverbs/verbs';
import type {
  ContextOps,
  CqOps,
  Handle,
  MrOps,
  MrRequest,
  QpOps,
  QpQueryOps,
  QpRequest,
} from '@openverbs/verbs/driver';
import type { Adapter } from './adapter.ts';
import { LoopbackCq } from './completion-queue.ts';
import { deviceAttr, portAttr } from './device-attributes.ts';
import { EventQueue } from './events.ts';
import { LoopbackQp } from './queue-pair.ts';

/** A link-local address; there is nobody else on this link. */
const GID = Gid.parse('fe80:0000:0000:0000:0200:0000:0000:0010');
/** The default partition, full membership. */
const PKEY = 0xffff;

/** What is left out here (`createSrq`, `resizeCq`, `allocBuf` …) answers EOPNOTSUPP. */
export class LoopbackContext implements ContextOps {
  readonly events: EventQueue;
  readonly #adapter: Adapter;
  readonly #cqs = new Map<Handle, LoopbackCq>();
  readonly #qps = new Map<Handle, LoopbackQp>();

  constructor(adapter: Adapter) {
    this.#adapter = adapter;
    this.events = new EventQueue(adapter);
  }

  close(): void {} // everything that was made here has ended before

  queryDevice(): DeviceAttr {
    return deviceAttr;
  }

  queryPort(): PortAttr {
    return portAttr;
  }

  queryGid(portNum: number, gidIndex: number): GidEntry {
    return { gid: GID, gidIndex, portNum, gidType: GidType.ROCE_V2, ndevIfindex: 0 };
  }

  queryPkey(): number {
    return PKEY;
  }

  allocPd(): Handle {
    const { pds } = this.#adapter;
    assertRoom('protection domains', pds.size, deviceAttr.maxPd);
    const pd = this.#adapter.newHandle();
    pds.add(pd);
    return pd;
  }

  deallocPd(pd: Handle): void {
    this.#adapter.pds.delete(pd);
  }

  regMr(request: MrRequest): MrOps {
    const { memory } = this.#adapter;
    assertRoom('memory regions', memory.size, deviceAttr.maxMr);
    return memory.register(request);
  }

  deregMr(mr: Handle): void {
    this.#adapter.memory.deregister(mr);
  }

  createCq({ cqe, compVector }: { readonly cqe: number; readonly compVector: number }): CqOps {
    if (compVector !== 0) throw new VerbsError({ code: 'EINVAL', message: `there is no compVector ${compVector}` });
    const { cqs } = this.#adapter;
    assertRoom('CQs', cqs.size, deviceAttr.maxCq);
    const cq = new LoopbackCq(this.#adapter, this.events, cqe);
    cqs.add(cq.handle);
    this.#cqs.set(cq.handle, cq);
    return { handle: cq.handle, cqe, dataPath: cq };
  }

  destroyCq(cq: Handle): void {
    this.#adapter.cqs.delete(cq);
    this.#cqs.delete(cq);
  }

  createQp(request: QpRequest): QpOps {
    const { qps } = this.#adapter;
    refuseInlineData(request.cap);
    assertRoom('QPs', qps.size, deviceAttr.maxQp);
    const [sendCq, recvCq] = [this.#cqs.get(request.sendCq)!, this.#cqs.get(request.recvCq)!];
    const qp = new LoopbackQp(this.#adapter, request, sendCq, recvCq);
    qps.set(qp.qpNum, qp);
    this.#qps.set(qp.handle, qp);
    return { handle: qp.handle, qpNum: qp.qpNum, cap: request.cap, dataPath: qp };
  }

  modifyQp(qp: Handle, attr: QpAttr): void {
    this.#qps.get(qp)!.modify(attr);
  }

  queryQp(qp: Handle): QpQueryOps {
    return this.#qps.get(qp)!.query();
  }

  destroyQp(handle: Handle): void {
    const qp = this.#qps.get(handle)!;
    qp.reset();
    this.#adapter.qps.delete(qp.qpNum);
    this.#qps.delete(handle);
  }
}

function assertRoom(what: string, live: number, max: number): void {
  if (live >= max) throw new VerbsError({ code: 'ENOMEM', message: `there are ${max} ${what} already` });
}

/** No attribute of the device tells this limit, so it is the provider's to check. */
function refuseInlineData({ maxInlineData }: QpCap): void {
  if (maxInlineData === 0) return;
  const message = `cap.maxInlineData is ${maxInlineData}; the device has no inline data`;
  throw new VerbsError({ code: 'EINVAL', message, hint: 'leave it out' });
}
