/**
 * Every control verb, by class and method, with its C name and the names of its arguments: the one table that tracing is made of.
 * The methods are replaced when the package is loaded. What posts and polls has channels of its own, see `trace-posts.ts` and
 * `trace-polls.ts`.
 */
import { AddressHandle } from '../address-handle.ts';
import { CompletionChannel } from '../completion-channel.ts';
import { CompletionQueue } from '../completion-queue.ts';
import { CompletionQueueEx } from '../completion-queue-ex.ts';
import { Context } from '../context.ts';
import { ContextEx } from '../context-ex.ts';
import { Device } from '../device.ts';
import { DmaBuffer } from '../dma-buffer.ts';
import { MemoryRegion } from '../memory-region.ts';
import { MemoryWindow } from '../memory-window.ts';
import { ParentDomain, ThreadDomain } from '../parent-domain.ts';
import { ProtectionDomain } from '../protection-domain.ts';
import { QueuePair } from '../queue-pair.ts';
import { SharedReceiveQueue } from '../shared-receive-queue.ts';
import { XrcDomain } from '../xrc-domain.ts';
import { tracedVerb } from './trace-verb.ts';

/** A verb, and the names of its arguments. */
type Row = readonly [verb: string, ...names: string[]];

interface TracedClass {
  readonly of: { readonly prototype: object };
  /** By method. */
  readonly methods: Readonly<Record<string, Row>>;
  /** What its end is told as when an owner disposes of it: the strict verb. */
  readonly end?: string;
}

const CLASSES: readonly TracedClass[] = [
  { of: Device, methods: { open: ['ibv_open_device'] } },
  {
    of: ContextEx,
    methods: {
      queryDeviceEx: ['ibv_query_device_ex'],
      queryRtValues: ['ibv_query_rt_values_ex'],
      allocTd: ['ibv_alloc_td'],
      allocParentDomain: ['ibv_alloc_parent_domain', 'init'],
      queryHwCounters: ['queryHwCounters', 'port'],
      queryPortSpeed: ['ibv_query_port_speed', 'port'],
      allocDm: ['ibv_alloc_dm'],
      createWq: ['ibv_create_wq'],
      createRwqIndTable: ['ibv_create_rwq_ind_table'],
      createFlowActionEsp: ['ibv_create_flow_action_esp'],
      createCounters: ['ibv_create_counters'],
      createCompCntr: ['ibv_create_comp_cntr'],
      allocDmah: ['ibv_alloc_dmah'],
    },
  },
  {
    of: Context,
    methods: {
      queryDevice: ['ibv_query_device'],
      queryPort: ['ibv_query_port', 'port'],
      queryGid: ['ibv_query_gid', 'port', 'index'],
      queryGidEntry: ['ibv_query_gid_ex', 'port', 'index'],
      queryGidTable: ['ibv_query_gid_table'],
      queryPkey: ['ibv_query_pkey', 'port', 'index'],
      getPkeyIndex: ['ibv_get_pkey_index', 'port', 'pkey'],
      initAhFromWc: ['ibv_init_ah_from_wc', 'portNum', 'wc', 'grh'],
      allocPd: ['ibv_alloc_pd'],
      allocBuf: ['ibv_alloc_buf', 'length', 'options'],
      mapDma: ['ib_dma_map', 'memory'],
      openXrcd: ['ibv_open_xrcd', 'init'],
      createCompChannel: ['ibv_create_comp_channel'],
      createCq: ['ibv_create_cq', 'init'],
      createCqEx: ['ibv_create_cq_ex', 'init'],
      getAsyncEvent: ['ibv_get_async_event'],
      tryGetAsyncEvent: ['ibv_get_async_event'],
      ackAsyncEvent: ['ibv_ack_async_event', 'event'],
      close: ['ibv_close_device'],
    },
    end: 'ibv_close_device',
  },
  {
    of: ProtectionDomain,
    methods: {
      regMr: ['ibv_reg_mr', 'memory', 'access'],
      regMrIova: ['ibv_reg_mr_iova', 'memory', 'access', 'iova'],
      regPhysMr: ['ib_reg_phys_mr', 'pages', 'init'],
      getDmaMr: ['ib_get_dma_mr', 'access'],
      allocNullMr: ['ibv_alloc_null_mr'],
      allocMw: ['ibv_alloc_mw', 'type'],
      createQp: ['ibv_create_qp', 'init'],
      createAh: ['ibv_create_ah', 'attr'],
      createAhFromWc: ['ibv_create_ah_from_wc', 'wc', 'grh', 'portNum'],
      createSrq: ['ibv_create_srq', 'init'],
      regDmabufMr: ['ibv_reg_dmabuf_mr'],
      regDmMr: ['ibv_reg_dm_mr'],
      dealloc: ['ibv_dealloc_pd'],
    },
    end: 'ibv_dealloc_pd',
  },
  { of: ThreadDomain, methods: { dealloc: ['ibv_dealloc_td'] }, end: 'ibv_dealloc_td' },
  { of: ParentDomain, methods: {}, end: 'ibv_dealloc_pd' },
  {
    of: XrcDomain,
    methods: { createQp: ['ibv_create_qp_ex', 'init'], openQp: ['ibv_open_qp', 'attr'], close: ['ibv_close_xrcd'] },
    end: 'ibv_close_xrcd',
  },
  { of: DmaBuffer, methods: { free: ['ibv_free_buf'] }, end: 'ibv_free_buf' },
  {
    of: MemoryRegion,
    methods: {
      rereg: ['ibv_rereg_mr', 'changes'],
      reregPhys: ['ib_rereg_phys_mr', 'changes'],
      dereg: ['ibv_dereg_mr'],
    },
    end: 'ibv_dereg_mr',
  },
  { of: MemoryWindow, methods: { dealloc: ['ibv_dealloc_mw'] }, end: 'ibv_dealloc_mw' },
  { of: AddressHandle, methods: { destroy: ['ibv_destroy_ah'] }, end: 'ibv_destroy_ah' },
  {
    of: CompletionChannel,
    methods: {
      getCqEvent: ['ibv_get_cq_event'],
      tryGetCqEvent: ['ibv_get_cq_event'],
      destroy: ['ibv_destroy_comp_channel'],
    },
    end: 'ibv_destroy_comp_channel',
  },
  {
    of: CompletionQueue,
    methods: {
      reqNotify: ['ibv_req_notify_cq', 'solicitedOnly'],
      reqNotifyReportMissed: ['ib_req_notify_cq', 'solicitedOnly'],
      ackEvents: ['ibv_ack_cq_events', 'n'],
      resize: ['ibv_resize_cq', 'cqe'],
      modify: ['ibv_modify_cq', 'attr'],
      destroy: ['ibv_destroy_cq'],
    },
    end: 'ibv_destroy_cq',
  },
  { of: CompletionQueueEx, methods: { resize: ['ibv_resize_cq', 'cqe'] } },
  {
    of: QueuePair,
    methods: {
      modify: ['ibv_modify_qp', 'attr', 'mask'],
      query: ['ibv_query_qp'],
      bindMw: ['ibv_bind_mw', 'mw', 'bind'],
      attachMcast: ['ibv_attach_mcast', 'gid', 'lid'],
      detachMcast: ['ibv_detach_mcast', 'gid', 'lid'],
      queryDataInOrder: ['ibv_query_qp_data_in_order', 'opcode', 'flags'],
      createFlow: ['ibv_create_flow'],
      modifyRateLimit: ['ibv_modify_qp_rate_limit'],
      queryEce: ['ibv_query_ece'],
      setEce: ['ibv_set_ece'],
      destroy: ['ibv_destroy_qp'],
    },
    end: 'ibv_destroy_qp',
  },
  {
    of: SharedReceiveQueue,
    methods: {
      modify: ['ibv_modify_srq', 'attr'],
      query: ['ibv_query_srq'],
      postOps: ['ibv_post_srq_ops'],
      destroy: ['ibv_destroy_srq'],
    },
    end: 'ibv_destroy_srq',
  },
];

/** C names of the verbs that `openverbs:verb` tells of. */
export const TRACED_VERBS: readonly string[] = [
  ...new Set(CLASSES.flatMap(({ methods }) => Object.values(methods).map(([verb]) => verb))),
];

for (const { of, methods, end } of CLASSES) {
  for (const [method, [verb, ...names]] of Object.entries(methods)) replace(of.prototype, method, verb, names);
  // Within the strict verb it is told as that; alone, an owner disposes of the object.
  if (end !== undefined) replace(of.prototype, 'releaseInProvider', end, []);
}

function replace(prototype: object, method: string, verb: string, names: readonly string[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, method);
  if (typeof descriptor?.value !== 'function') throw new TypeError(`there is no method ${method} for ${verb}`);
  const value = tracedVerb(verb, names, descriptor.value as (...args: unknown[]) => unknown);
  Object.defineProperty(prototype, method, { ...descriptor, value });
}
