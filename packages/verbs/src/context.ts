/** Open devices. */
import { initAhFromWc } from './ah-from-wc.ts';
import { assertCapability } from './assert-capability.ts';
import { AsyncEvent } from './async-event.ts';
import type { AsyncEventTarget } from './async-event-target.ts';
import type { AhAttrInit } from './attributes/address.ts';
import type { CqInitAttr, CqInitAttrEx, DeviceAttr, PortAttr } from './attributes/device.ts';
import { assertOp, callOp } from './call-op.ts';
import { checkInteger } from './check.ts';
import { CompletionChannel } from './completion-channel.ts';
import type { CompletionQueue } from './completion-queue.ts';
import type { CompletionQueueEx } from './completion-queue-ex.ts';
import { ContextEx } from './context-ex.ts';
import { createCompletionQueue, createCompletionQueueEx } from './create-cq.ts';
import type { Device } from './device.ts';
import { DmaBuffer } from './dma-buffer.ts';
import type { ContextOps, DmaMapping } from './driver/device-ops.ts';
import type { EventDispatcherOps, EventRouting } from './driver/events.ts';
import type { EventType } from './enums/event-type.ts';
import { invalid, inVerb, VerbsError } from './errors.ts';
import { EventFifo } from './event-fifo.ts';
import type { Gid, GidEntry } from './gid.ts';
import { inspectCustom, inspectLine } from './inspect.ts';
import { checkLiteral, literalKeys } from './literal-keys.ts';
import { mapForDma } from './register-physical.ts';
import { ProtectionDomain } from './protection-domain.ts';
import { QpTable } from './rings/qp-table.ts';
import { traceEvent } from './tracing/trace-events.ts';
import type { WorkCompletion } from './work-completion.ts';
import { WAIT_KEYS, type WaitOptions } from './wait-options.ts';
import { openXrcDomain, type XrcDomain, type XrcdInitAttr } from './xrc-domain.ts';

/** What a buffer is aligned to unless said. */
const PAGE_BYTES = 4096;
const BUF_KEYS = literalKeys<{ alignment: number }>({ alignment: true });

/**
 * An open device (`struct ibv_context`), from `device.open()`. It belongs to the thread that opened it, and owns everything
 * that is made with it.
 *
 * @example
 * ```ts
 * import type { Device } from '@openverbs/verbs';
 *
 * function describe(device: Device): string {
 *   using context = device.open();
 *   const { maxQp, physPortCnt } = context.queryDevice();
 *   return `${device.name}: ${physPortCnt} ports, ${maxQp} QPs`;
 * }
 * ```
 */
export class Context extends ContextEx {
  /** The device. */
  readonly device: Device;
  /** @internal */
  readonly ops: ContextOps;
  /** @internal */
  readonly routing: EventRouting;
  /** @internal */
  readonly qpTable = new QpTable();
  readonly #asyncEvents: EventFifo<AsyncEvent>;
  readonly #unacknowledged = new Set<AsyncEvent>();
  #deviceAttr: DeviceAttr | null = null;
  #endpoints = 0;

  /** @internal */
  constructor(device: Device, ops: ContextOps, dispatcher: EventDispatcherOps) {
    super([]);
    this.device = device;
    this.ops = ops;
    this.routing = dispatcher.attach(ops.events);
    this.#asyncEvents = new EventFifo(this.routing, (event) => {
      this.#unacknowledged.add(event);
      targetOf(event)?.countAsyncEvent(1);
    });
    this.routing.add('device', 0, { deliver: (type) => this.#deliver(type, 'device') });
    for (let port = 1; port <= this.queryDevice().physPortCnt; port++) {
      this.routing.add('port', port, { deliver: (type) => this.#deliver(type, 'port', port) });
    }
  }

  /** What messages call it. */
  get label(): string {
    return `context of ${this.device.name}`;
  }

  /** What the device is and where its limits lie; asked for once, and the same object each time. Source: `ibv_query_device`(3). */
  queryDevice(): DeviceAttr {
    this.assertLive('ibv_query_device');
    return (this.#deviceAttr ??= callOp(this, 'ibv_query_device', 'queryDevice'));
  }

  /** How a port is doing. Ports count from 1. Throws EINVAL for a port that isn't there. Source: `ibv_query_port`(3). */
  queryPort(port = 1): PortAttr {
    this.#checkPort('ibv_query_port', port);
    return callOp(this, 'ibv_query_port', 'queryPort', port);
  }

  /** An address of a port: entry `index` of its GID table. Throws EINVAL beyond `gidTblLen` of the port. Source: `ibv_query_gid`(3). */
  queryGid(port: number, index: number): Gid {
    return this.#queryGidEntry('ibv_query_gid', port, index).gid;
  }

  /** As {@link Context.queryGid}, with what the address is for. Source: `ibv_query_gid_ex`(3). */
  queryGidEntry(port: number, index: number): GidEntry {
    return this.#queryGidEntry('ibv_query_gid_ex', port, index);
  }

  /** The addresses of all ports, but for entries that are not in use. Source: `ibv_query_gid_table`(3). */
  queryGidTable(): GidEntry[] {
    const entries: GidEntry[] = [];
    for (let port = 1; port <= this.queryDevice().physPortCnt; port++) {
      const { gidTblLen } = this.queryPort(port);
      for (let index = 0; index < gidTblLen; index++) {
        const entry = this.#queryGidEntry('ibv_query_gid_table', port, index);
        if (!entry.gid.isZero) entries.push(entry);
      }
    }
    return entries;
  }

  /** An entry of a port's P_Key table, in host order. Throws EINVAL beyond `pkeyTblLen` of the port. Source: `ibv_query_pkey`(3). */
  queryPkey(port: number, index: number): number {
    this.#checkPort('ibv_query_pkey', port);
    checkInteger('ibv_query_pkey', 'index', index, 0, this.queryPort(port).pkeyTblLen - 1, 'pkeyTblLen');
    return callOp(this, 'ibv_query_pkey', 'queryPkey', port, index);
  }

  /**
   * The first index of a P_Key (host order, with its membership bit) in a port's table. Throws EINVAL when the table has it not,
   * where C answers -1. Source: `ibv_get_pkey_index`(3).
   */
  getPkeyIndex(port: number, pkey: number): number {
    const verb = 'ibv_get_pkey_index';
    this.#checkPort(verb, port);
    checkInteger(verb, 'pkey', pkey, 0, 0xffff, '16 bits');
    const { pkeyTblLen } = this.queryPort(port);
    for (let index = 0; index < pkeyTblLen; index++) {
      if (callOp(this, verb, 'queryPkey', port, index) === pkey) return index;
    }
    const message = `port ${port} has no P_Key 0x${pkey.toString(16).padStart(4, '0')}`;
    throw new VerbsError({ code: 'EINVAL', verb, message, hint: 'queryPkey(port, index) tells which it has' });
  }

  /**
   * The way back to the sender of a datagram, for `pd.createAh`: from its completion, and from the first 40 bytes of its receive.
   * Throws EINVAL when these are no header, or the datagram went to a group or to a GID that is not of the port.
   * Source: `ibv_init_ah_from_wc`(3).
   */
  initAhFromWc(portNum: number, wc: WorkCompletion, grh: Uint8Array): AhAttrInit {
    const verb = 'ibv_init_ah_from_wc';
    this.assertLive(verb);
    return initAhFromWc(verb, this, portNum, wc, grh);
  }

  /** Makes a protection domain. Throws ENOMEM at `maxPd` of the device. Source: `ibv_alloc_pd`(3). */
  allocPd(): ProtectionDomain {
    this.assertLive('ibv_alloc_pd');
    return new ProtectionDomain(this, callOp(this, 'ibv_alloc_pd', 'allocPd'));
  }

  /**
   * Allocates memory that the device can reach: zeroed, `length` bytes, aligned to a page or to `alignment`, a power of two.
   * Throws ENOMEM when the machine has no more.
   *
   * What counts is whole pages of 4096 bytes. A buffer is cut from a free block of a power of two of pages, and the rest of that is free
   * again; so much memory that is free in pieces may have no room for a buffer of as many bytes.
   */
  allocBuf(length: number, options: { readonly alignment?: number } = {}): DmaBuffer {
    const verb = 'ibv_alloc_buf';
    this.assertLive(verb);
    assertOp(this, verb, 'allocBuf');
    checkLiteral(verb, 'options', options, BUF_KEYS);
    const { alignment = PAGE_BYTES } = options;
    checkInteger(verb, 'length', length, 1, Number.MAX_SAFE_INTEGER);
    checkInteger(verb, 'alignment', alignment, 1, 2 ** 31);
    if (!Number.isInteger(Math.log2(alignment))) throw invalid(verb, `alignment is ${alignment}, not a power of two`);
    return new DmaBuffer(this, callOp(this, verb, 'allocBuf', length, alignment));
  }

  /**
   * The bus addresses of memory that the device reaches: of `allocBuf`, or a view into it; for `pd.regPhysMr` and `pd.getDmaMr`. A verb
   * of the kernel level. They are those of the memory as long as it is not freed. Source: Linux ib_verbs.h, `ib_dma_map_single`.
   */
  mapDma(memory: DmaBuffer | ArrayBufferView): DmaMapping {
    return mapForDma(this, memory);
  }

  /**
   * Opens an XRC domain. Throws EAGAIN without `O_CREAT` when there is none of the inode yet, EINVAL with `O_EXCL` when there is one.
   * Source: `ibv_open_xrcd`(3).
   */
  openXrcd(init: XrcdInitAttr = {}): XrcDomain {
    return openXrcDomain(this, init);
  }

  /** Makes a completion channel. Throws EOPNOTSUPP where queues raise no events. Source: `ibv_create_comp_channel`(3). */
  createCompChannel(): CompletionChannel {
    this.assertLive('ibv_create_comp_channel');
    assertCapability(this, 'ibv_create_comp_channel', 'completionEvents', 'poll the completion queues');
    return new CompletionChannel(this);
  }

  /**
   * Makes a completion queue of at least `cqe` entries. Throws EINVAL beyond `maxCqe` of the device, ENOMEM at `maxCq`, or when there is no
   * memory for the entries. Source: `ibv_create_cq`(3).
   */
  createCq(init: CqInitAttr): CompletionQueue {
    return createCompletionQueue(this, init);
  }

  /**
   * Makes an extended completion queue of at least `cqe` entries, whose completions are read field by field. Throws as
   * {@link Context.createCq} does, and EOPNOTSUPP for timestamps on a device without. Source: `ibv_create_cq_ex`(3).
   */
  createCqEx(init: CqInitAttrEx): CompletionQueueEx {
    return createCompletionQueueEx(this, init);
  }

  /**
   * Waits for the next asynchronous event. Acknowledge it with {@link Context.ackAsyncEvent}; until then the object that it is
   * about can't be destroyed. Throws EOPNOTSUPP on a device without such events. Source: `ibv_get_async_event`(3).
   */
  getAsyncEvent(options: WaitOptions = {}): Promise<AsyncEvent> {
    this.#assertAsyncEvents();
    checkLiteral('ibv_get_async_event', 'options', options, WAIT_KEYS);
    return this.#asyncEvents.take(options.signal);
  }

  /** As {@link Context.getAsyncEvent}, without waiting: null when there is no event. */
  tryGetAsyncEvent(): AsyncEvent | null {
    this.#assertAsyncEvents();
    return this.#asyncEvents.tryTake() ?? null;
  }

  /** Acknowledges an event. Throws EINVAL the second time, and at another context. Source: `ibv_ack_async_event`(3). */
  ackAsyncEvent(event: AsyncEvent): void {
    if (!this.#unacknowledged.delete(event)) {
      const hint = 'acknowledge each event once, at the context that it came from';
      throw invalid('ibv_ack_async_event', 'the event is not one that waits for this', hint);
    }
    targetOf(event)?.countAsyncEvent(-1);
  }

  /** Asynchronous events as they come; each is acknowledged after the loop's body. */
  async *asyncEvents(options: WaitOptions = {}): AsyncGenerator<AsyncEvent, never, void> {
    for (;;) {
      const event = await this.getAsyncEvent(options);
      try {
        yield event;
      } finally {
        if (this.#unacknowledged.has(event)) this.ackAsyncEvent(event);
      }
    }
  }

  /** Closes the device. Throws EBUSY while objects of it live. Source: `ibv_close_device`(3). */
  close(): void {
    this.endStrictly('ibv_close_device');
  }

  /** @internal */
  [inspectCustom](): string {
    return inspectLine('Context', { device: this.device.name });
  }

  /** @internal */
  queueAsyncEvent(event: AsyncEvent): void {
    this.#asyncEvents.push(event);
  }

  /** Has `server` called with each event, which needs no acknowledgement then, until it is null. @internal */
  serveAsyncEvents(server: ((event: AsyncEvent) => void) | null): void {
    this.#asyncEvents.serve(server);
  }

  /** Forgets the events of an object that has ended. @internal */
  dropAsyncEvents(target: AsyncEventTarget): void {
    this.#asyncEvents.drop((event) => targetOf(event) === target);
    for (const event of this.#unacknowledged) if (targetOf(event) === target) this.#unacknowledged.delete(event);
  }

  /** A number that differs for each endpoint that is asked for. @internal */
  nextEndpoint(): number {
    return this.#endpoints++;
  }

  /** @internal */ protected override unacknowledgedEvents(): number {
    return this.#unacknowledged.size;
  }

  /** @internal */ protected override releaseInProvider(): void {
    // Before the provider's close, after which it may not be asked for events any more.
    this.routing.detach();
    inVerb('ibv_close_device', () => this.ops.close());
  }

  /** @internal */ protected override onEnded(): void {
    const verb = 'ibv_get_async_event';
    this.#asyncEvents.close(new VerbsError({ code: 'ECANCELED', verb, message: `the ${this.label} was closed` }));
  }

  #deliver(type: number, element: 'device' | 'port', port?: number): void {
    traceEvent(this.device.name, port === undefined ? 'device' : `port ${port}`, type);
    this.queueAsyncEvent(new AsyncEvent(this, type as EventType, element, port === undefined ? {} : { port }));
  }

  #queryGidEntry(verb: string, port: number, index: number): GidEntry {
    this.#checkPort(verb, port);
    checkInteger(verb, 'index', index, 0, this.queryPort(port).gidTblLen - 1, 'gidTblLen');
    return callOp(this, verb, 'queryGid', port, index);
  }

  #assertAsyncEvents(): void {
    this.assertLive('ibv_get_async_event');
    assertCapability(this, 'ibv_get_async_event', 'asyncEvents', 'query what the events would tell');
  }

  #checkPort(verb: string, port: number): void {
    this.assertLive(verb);
    checkInteger(verb, 'port', port, 1, this.queryDevice().physPortCnt, 'ports of the device');
  }
}

function targetOf(event: AsyncEvent): AsyncEventTarget | undefined {
  return event.cq ?? event.qp ?? event.srq;
}
