/** Protection domains. */
import { AddressHandle } from './address-handle.ts';
import { initAhFromWc } from './ah-from-wc.ts';
import type { AhAttrInit } from './attributes/address.ts';
import type { QpInitAttr, SrqInitAttr } from './attributes/qp.ts';
import { assertOp, callOp } from './call-op.ts';
import { checkAhAttr } from './check-ah.ts';
import { checkOneOf } from './check.ts';
import type { Context } from './context.ts';
import type { DmaBuffer } from './dma-buffer.ts';
import { AccessFlags } from './enums/access-flags.ts';
import { MwType } from './enums/mw.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { refuseLeftOut } from './left-out.ts';
import { VerbsObject } from './lifetime.ts';
import { MemoryRegion, registerMemory } from './memory-region.ts';
import { MemoryWindow } from './memory-window.ts';
import type { PhysMrInit } from './physical-memory.ts';
import { getDmaRegion, registerPhysical } from './register-physical.ts';
import { createQueuePair } from './create-qp.ts';
import { createSharedReceiveQueue } from './create-srq.ts';
import type { QueuePair } from './queue-pair.ts';
import type { SharedReceiveQueue } from './shared-receive-queue.ts';
import type { WorkCompletion } from './work-completion.ts';

/** What C says by SIZE_MAX: a null region has every address. */
const NULL_MR_LENGTH = Number.MAX_SAFE_INTEGER;

/**
 * A protection domain (`struct ibv_pd`): keys of its memory work in its queue pairs, and in no others.
 *
 * @example
 * ```ts
 * import { AccessFlags, type Context } from '@openverbs/verbs';
 *
 * function exposeMemory(context: Context): number {
 *   using pd = context.allocPd();
 *   const buffer = context.allocBuf(4096);
 *   const mr = pd.regMr(buffer, AccessFlags.LOCAL_WRITE | AccessFlags.REMOTE_WRITE);
 *   return mr.rkey;
 * }
 * ```
 */
export class ProtectionDomain extends VerbsObject {
  /** The context that made it. */
  readonly context: Context;
  /** The provider's number of it, as in C's `handle`. */
  readonly handle: number;

  /** The memory windows that live. @internal */
  readonly windows = new Set<MemoryWindow>();

  /** @internal */
  constructor(context: Context, handle: number, parents: readonly VerbsObject[] = [context]) {
    super(parents);
    this.context = context;
    this.handle = handle;
  }

  /** The one that things belong to which are made in it: itself, or what a parent domain stands for. @internal */
  get domain(): ProtectionDomain {
    return this;
  }

  /** What messages call it. */
  get label(): string {
    return `PD ${this.handle}`;
  }

  /**
   * Registers memory: a buffer of `allocBuf`, a view into one, or any view where the device `supports('registersAnyMemory')`.
   * The memory is held, and can't be freed, until `mr.dereg()`. `access` are `AccessFlags` bits.
   *
   * Throws EFAULT for memory that the device can't reach, EINVAL for rights that don't go together (REMOTE_WRITE and
   * REMOTE_ATOMIC need LOCAL_WRITE), ENOMEM at a limit. Source: `ibv_reg_mr`(3).
   */
  regMr(memory: DmaBuffer | ArrayBufferView, access: number): MemoryRegion {
    return registerMemory('ibv_reg_mr', this, memory, access);
  }

  /**
   * As {@link ProtectionDomain.regMr}, but the keys know the first byte by the address `iova`, a safe integer, which SGEs and peers
   * name. It begins at the same offset in a page as the memory does, because Linux wants that. Source: `ibv_reg_mr_iova`(3).
   */
  regMrIova(memory: DmaBuffer | ArrayBufferView, access: number, iova: number): MemoryRegion {
    return registerMemory('ibv_reg_mr_iova', this, memory, access, iova);
  }

  /**
   * Registers memory by the bus addresses of its pages of 4096 bytes, in the order in which keys know them: a verb of the kernel level,
   * since nothing stands between it and memory of others. Who registers has pinned the pages, and leaves the list as it is while the
   * region lives.
   *
   * Throws EINVAL for what are no pages, or more of them than `length` needs; ENOMEM at a limit. Source: Linux ib_verbs.h, `ib_reg_phys_mr`.
   */
  regPhysMr(pages: ArrayLike<number>, init: PhysMrInit): MemoryRegion {
    return registerPhysical(this, pages, init);
  }

  /**
   * A region of all memory, whose keys know each byte by its bus address; a verb of the kernel level. `access` are `AccessFlags` bits.
   * Throws EINVAL for ZERO_BASED, and for REMOTE_WRITE or REMOTE_ATOMIC without LOCAL_WRITE. Source: Linux ib_verbs.h, `ib_get_dma_mr`.
   */
  getDmaMr(access: number): MemoryRegion {
    return getDmaRegion(this, access);
  }

  /**
   * A region without memory: what is written to its `lkey` at whatever address is dropped, and what is read from it is 0. Peers
   * can't use it. Source: `ibv_alloc_null_mr`(3).
   */
  allocNullMr(): MemoryRegion {
    const verb = 'ibv_alloc_null_mr';
    this.assertLive(verb);
    const ops = callOp(this.context, verb, 'allocNullMr', this.handle);
    const bytes = new Uint8Array(0);
    const access = AccessFlags.LOCAL_WRITE;
    return new MemoryRegion({ pd: this, buffer: undefined, bytes, length: NULL_MR_LENGTH, access, iova: null }, ops);
  }

  /** Makes a memory window, not bound: one of `MwType`. Throws ENOMEM at a limit. Source: `ibv_alloc_mw`(3). */
  allocMw(type: MwType): MemoryWindow {
    const verb = 'ibv_alloc_mw';
    this.assertLive(verb);
    assertOp(this.context, verb, 'allocMw');
    checkOneOf(verb, 'type', type, MwType);
    return new MemoryWindow(this, type, callOp(this.context, verb, 'allocMw', this.handle, type));
  }

  /**
   * Makes a queue pair. Throws EINVAL with the limit that `init` passes, EOPNOTSUPP for a type that the device lacks, ENOMEM. Source:
   * `ibv_create_qp`(3).
   */
  createQp(init: QpInitAttr): QueuePair {
    return createQueuePair(this, init);
  }

  /**
   * Makes an address handle: the way to a peer of a UD queue pair. Throws EINVAL for a field that has more bits than its place in a packet,
   * and on Ethernet without a global route. Source: `ibv_create_ah`(3).
   */
  createAh(attr: AhAttrInit): AddressHandle {
    return this.#createAh('ibv_create_ah', () => attr);
  }

  /**
   * Makes an address handle that leads back to the sender of a datagram; see {@link Context.initAhFromWc}. `grh` are the first 40
   * bytes of the receive, as they are or with what follows. Throws as that does. Source: `ibv_create_ah_from_wc`(3).
   *
   * @example
   * ```ts
   * import type { AddressHandle, MemoryRegion, ProtectionDomain, WorkCompletion } from '@openverbs/verbs';
   *
   * function wayBack(pd: ProtectionDomain, wc: WorkCompletion, receive: MemoryRegion): AddressHandle {
   *   return pd.createAhFromWc(wc, receive.bytes, 1);
   * }
   * ```
   */
  createAhFromWc(wc: WorkCompletion, grh: Uint8Array, portNum: number): AddressHandle {
    const verb = 'ibv_create_ah_from_wc';
    return this.#createAh(verb, () => initAhFromWc(verb, this.context, portNum, wc, grh));
  }

  /**
   * Makes a shared receive queue for at least `attr.maxWr` work requests of `attr.maxSge` SGEs; with `srqType`, `xrcd` and `cq` one for XRC.
   * Throws EINVAL beyond a limit of the device. Source: `ibv_create_srq`(3), `ibv_create_srq_ex`(3).
   */
  createSrq(init: SrqInitAttr): SharedReceiveQueue {
    return createSharedReceiveQueue(this, init);
  }

  /** Left out: throws EOPNOTSUPP. */
  regDmabufMr(): never {
    refuseLeftOut('ibv_reg_dmabuf_mr');
  }

  /** Left out: throws EOPNOTSUPP. */
  regDmMr(): never {
    refuseLeftOut('ibv_reg_dm_mr');
  }

  /** Ends it. Throws EBUSY while objects of it live. Source: `ibv_dealloc_pd`(3). */
  dealloc(): void {
    this.endStrictly('ibv_dealloc_pd');
  }

  /** @internal */ protected override releaseInProvider(): void {
    callOp(this.context, 'ibv_dealloc_pd', 'deallocPd', this.handle);
  }

  /** @internal */
  [inspectCustom](): string {
    return inspectLine('ProtectionDomain', { handle: this.handle });
  }

  #createAh(verb: string, attrOf: () => AhAttrInit): AddressHandle {
    this.assertLive(verb);
    assertOp(this.context, verb, 'createAh');
    const attr = attrOf();
    const checked = checkAhAttr(verb, this.context, 'attr', attr);
    return new AddressHandle(this, callOp(this.context, verb, 'createAh', this.handle, checked).handle, checked);
  }
}
