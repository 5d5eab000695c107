/**
 * What libibverbs can do and OpenVerbs leaves out, because it is bound to hardware or to files of the system. The verbs are there,
 * and each of them answers EOPNOTSUPP with what to use instead. One table.
 */
import { VerbsError } from './errors.ts';

/** A feature that is left out. */
export interface LeftOutFeature {
  /** What it is. */
  readonly what: string;
  /** Why it is not there. */
  readonly why: string;
  /** What to use instead. */
  readonly hint: string;
  /** Its verbs, by their C names. */
  readonly verbs: readonly string[];
}

const FILES = 'it passes file descriptors of the operating system, which a device in this process has none of';

const FEATURES = {
  flowSteering: {
    what: 'flow steering',
    why: 'it sorts Ethernet frames to raw packet queue pairs, which no device here has',
    hint: 'use a queue pair of its own for each flow; UD queue pairs tell their peers apart by wc.srcQp',
    verbs: [
      'ibv_create_flow',
      'ibv_destroy_flow',
      'ibv_create_flow_action_esp',
      'ibv_modify_flow_action_esp',
      'ibv_destroy_flow_action',
      'ibv_wc_read_flow_tag',
    ],
  },
  rss: {
    what: 'receive work queues and their indirection tables (RSS)',
    why: 'they spread Ethernet frames over raw packet queue pairs, which no device here has',
    hint: 'use one queue pair a thread, or a shared receive queue',
    verbs: [
      'ibv_create_wq',
      'ibv_modify_wq',
      'ibv_destroy_wq',
      'ibv_post_wq_recv',
      'ibv_create_rwq_ind_table',
      'ibv_destroy_rwq_ind_table',
    ],
  },
  deviceMemory: {
    what: 'memory on the device',
    why: 'a software HCA has no memory of its own',
    hint: 'use context.allocBuf()',
    verbs: ['ibv_alloc_dm', 'ibv_free_dm', 'ibv_memcpy_to_dm', 'ibv_memcpy_from_dm', 'ibv_reg_dm_mr'],
  },
  dmabuf: {
    what: 'dma-buf memory',
    why: FILES,
    hint: 'use context.allocBuf() and pd.regMr()',
    verbs: ['ibv_reg_dmabuf_mr', 'ibv_export_buf_dmabuf_fd', 'ibv_dm_export_dmabuf_fd'],
  },
  onDemandPaging: {
    what: 'on-demand paging (ODP)',
    why: 'the memory of a software HCA is there all the time, so there are no pages to fault in, nor to prefetch',
    hint: 'leave IBV_ACCESS_ON_DEMAND, IBV_ACCESS_HUGETLB and the advice out',
    verbs: ['ibv_advise_mr'],
  },
  persistence: {
    what: 'FLUSH for persistence',
    why: 'the memory of a software HCA ends with its process',
    hint: 'leave IBV_ACCESS_FLUSH_PERSISTENT and IBV_FLUSH_PERSISTENT out; a FLUSH for global visibility is there',
    verbs: [],
  },
  import: {
    what: 'sharing objects with another process',
    why: FILES,
    hint: 'threads of one process share devices: openVerbs({ machine })',
    verbs: [
      'ibv_import_device',
      'ibv_import_pd',
      'ibv_unimport_pd',
      'ibv_import_mr',
      'ibv_unimport_mr',
      'ibv_import_dm',
      'ibv_unimport_dm',
    ],
  },
  tagMatching: {
    what: 'tag matching',
    why: 'it is work that adapters take over from MPI libraries, and has no protocol of its own to be compatible with',
    hint: 'match tags in the program: send them as immediate data, or at the head of the message',
    verbs: ['ibv_post_srq_ops', 'ibv_wc_read_tm_info'],
  },
  tso: {
    what: 'TCP segmentation (TSO)',
    why: 'it belongs to raw packet queue pairs, which no device here has',
    hint: 'use wrSend() on an RC queue pair, which cuts messages into packets by itself',
    verbs: ['ibv_wr_send_tso'],
  },
  vlan: {
    what: 'VLAN tags of completions',
    why: 'they belong to raw packet queue pairs, which no device here has',
    hint: 'leave IBV_WC_EX_WITH_CVLAN out',
    verbs: ['ibv_wc_read_cvlan', 'ibv_resolve_eth_l2_from_gid'],
  },
  counters: {
    what: 'counters of flows',
    why: 'there is no flow steering',
    hint: 'count completions in the program',
    verbs: ['ibv_create_counters', 'ibv_destroy_counters', 'ibv_attach_counters_point_flow', 'ibv_read_counters'],
  },
  completionCounters: {
    what: 'completion counters',
    why: 'they take the place of completion queues on few adapters, and only there',
    hint: 'use a completion queue',
    verbs: [
      'ibv_query_comp_cntr_caps',
      'ibv_create_comp_cntr',
      'ibv_destroy_comp_cntr',
      'ibv_set_comp_cntr',
      'ibv_set_err_comp_cntr',
      'ibv_inc_comp_cntr',
      'ibv_inc_err_comp_cntr',
      'ibv_read_comp_cntr',
      'ibv_read_err_comp_cntr',
      'ibv_qp_attach_comp_cntr',
    ],
  },
  dmaHandles: {
    what: 'DMA handles (TPH)',
    why: 'they steer PCI Express transactions into caches of processors',
    hint: 'leave them out; nothing depends on them',
    verbs: ['ibv_alloc_dmah', 'ibv_dealloc_dmah'],
  },
  ece: {
    what: 'enhanced connection establishment (ECE)',
    why: 'its options are those of one vendor, and a device here has none to agree on',
    hint: 'connect without it, as with a peer that does not know it',
    verbs: ['ibv_query_ece', 'ibv_set_ece'],
  },
  rateLimit: {
    what: 'packet pacing',
    why: 'it belongs to raw packet queue pairs, which no device here has',
    hint: 'post more slowly',
    verbs: ['ibv_modify_qp_rate_limit'],
  },
} as const satisfies Readonly<Record<string, LeftOutFeature>>;

/** Every feature that is left out, by a name of its own. */
export const LEFT_OUT: Readonly<Record<string, LeftOutFeature>> = FEATURES;

/** A verb that is left out. @internal */
export type LeftOutVerb = (typeof FEATURES)[keyof typeof FEATURES]['verbs'][number];

/** The feature that a verb belongs to; undefined for a verb that is not left out. */
export function leftOutFeature(verb: string): LeftOutFeature | undefined {
  return Object.values(LEFT_OUT).find(({ verbs }) => verbs.includes(verb));
}

/** The body of a verb that is left out: throws EOPNOTSUPP, with the feature and what to use instead. @internal */
export function refuseLeftOut(verb: LeftOutVerb): never {
  throw leftOutError(verb, verb);
}

/** As {@link refuseLeftOut}, where one of the other arguments of `verb` asks for what `like` is about. @internal */
export function leftOutError(verb: string, like: LeftOutVerb): VerbsError {
  const { what, why, hint } = leftOutFeature(like)!;
  return new VerbsError({
    code: 'EOPNOTSUPP',
    verb,
    message: `${what}: ${why}`,
    hint,
    details: { feature: what },
  });
}
