/**
 * Verbs that OpenVerbs leaves out, by their C names. Each throws EOPNOTSUPP with what to use instead, so that a program that was
 * written for them finds out where it uses them. Why: `LEFT_OUT` of `@openverbs/verbs`.
 */
import { refuseLeftOut } from '@openverbs/verbs';

/** Not supported: flow steering. */
export function ibv_create_flow(_qp: unknown, _flow: unknown): never {
  refuseLeftOut('ibv_create_flow');
}

/** Not supported: flow steering. */
export function ibv_destroy_flow(_flow_id: unknown): never {
  refuseLeftOut('ibv_destroy_flow');
}

/** Not supported: flow steering. */
export function ibv_create_flow_action_esp(_ctx: unknown, _esp: unknown): never {
  refuseLeftOut('ibv_create_flow_action_esp');
}

/** Not supported: flow steering. */
export function ibv_modify_flow_action_esp(_action: unknown, _esp: unknown): never {
  refuseLeftOut('ibv_modify_flow_action_esp');
}

/** Not supported: flow steering. */
export function ibv_destroy_flow_action(_action: unknown): never {
  refuseLeftOut('ibv_destroy_flow_action');
}

/** Not supported: flow steering. */
export function ibv_wc_read_flow_tag(_cq: unknown): never {
  refuseLeftOut('ibv_wc_read_flow_tag');
}

/** Not supported: receive work queues and their indirection tables (RSS). */
export function ibv_create_wq(_context: unknown, _wq_init_attr: unknown): never {
  refuseLeftOut('ibv_create_wq');
}

/** Not supported: receive work queues and their indirection tables (RSS). */
export function ibv_modify_wq(_wq: unknown, _wq_attr: unknown): never {
  refuseLeftOut('ibv_modify_wq');
}

/** Not supported: receive work queues and their indirection tables (RSS). */
export function ibv_destroy_wq(_wq: unknown): never {
  refuseLeftOut('ibv_destroy_wq');
}

/** Not supported: receive work queues and their indirection tables (RSS). */
export function ibv_post_wq_recv(_wq: unknown, _recv_wr: unknown, _bad_recv_wr: unknown): never {
  refuseLeftOut('ibv_post_wq_recv');
}

/** Not supported: receive work queues and their indirection tables (RSS). */
export function ibv_create_rwq_ind_table(_context: unknown, _init_attr: unknown): never {
  refuseLeftOut('ibv_create_rwq_ind_table');
}

/** Not supported: receive work queues and their indirection tables (RSS). */
export function ibv_destroy_rwq_ind_table(_rwq_ind_table: unknown): never {
  refuseLeftOut('ibv_destroy_rwq_ind_table');
}

/** Not supported: memory on the device. */
export function ibv_alloc_dm(_context: unknown, _attr: unknown): never {
  refuseLeftOut('ibv_alloc_dm');
}

/** Not supported: memory on the device. */
export function ibv_free_dm(_dm: unknown): never {
  refuseLeftOut('ibv_free_dm');
}

/** Not supported: memory on the device. */
export function ibv_memcpy_to_dm(_dm: unknown, _dm_offset: unknown, _host_addr: unknown, _length: unknown): never {
  refuseLeftOut('ibv_memcpy_to_dm');
}

/** Not supported: memory on the device. */
export function ibv_memcpy_from_dm(_host_addr: unknown, _dm: unknown, _dm_offset: unknown, _length: unknown): never {
  refuseLeftOut('ibv_memcpy_from_dm');
}

/** Not supported: memory on the device. */
export function ibv_reg_dm_mr(
  _pd: unknown,
  _dm: unknown,
  _dm_offset: unknown,
  _length: unknown,
  _access: unknown,
): never {
  refuseLeftOut('ibv_reg_dm_mr');
}

/** Not supported: dma-buf memory. */
export function ibv_reg_dmabuf_mr(
  _pd: unknown,
  _offset: unknown,
  _length: unknown,
  _iova: unknown,
  _fd: unknown,
  _access: unknown,
): never {
  refuseLeftOut('ibv_reg_dmabuf_mr');
}

/** Not supported: dma-buf memory. */
export function ibv_export_buf_dmabuf_fd(_buf: unknown): never {
  refuseLeftOut('ibv_export_buf_dmabuf_fd');
}

/** Not supported: dma-buf memory. */
export function ibv_dm_export_dmabuf_fd(_dm: unknown): never {
  refuseLeftOut('ibv_dm_export_dmabuf_fd');
}

/** Not supported: on-demand paging, and so no advice on its pages. */
export function ibv_advise_mr(
  _pd: unknown,
  _advice: unknown,
  _flags: unknown,
  _sg_list: unknown,
  _num_sge: unknown,
): never {
  refuseLeftOut('ibv_advise_mr');
}

/** Not supported: sharing objects with another process. */
export function ibv_import_device(_cmd_fd: unknown): never {
  refuseLeftOut('ibv_import_device');
}

/** Not supported: sharing objects with another process. */
export function ibv_import_pd(_context: unknown, _pd_handle: unknown): never {
  refuseLeftOut('ibv_import_pd');
}

/** Not supported: sharing objects with another process. */
export function ibv_unimport_pd(_pd: unknown): never {
  refuseLeftOut('ibv_unimport_pd');
}

/** Not supported: sharing objects with another process. */
export function ibv_import_mr(_pd: unknown, _mr_handle: unknown): never {
  refuseLeftOut('ibv_import_mr');
}

/** Not supported: sharing objects with another process. */
export function ibv_unimport_mr(_mr: unknown): never {
  refuseLeftOut('ibv_unimport_mr');
}

/** Not supported: sharing objects with another process. */
export function ibv_import_dm(_context: unknown, _dm_handle: unknown): never {
  refuseLeftOut('ibv_import_dm');
}

/** Not supported: sharing objects with another process. */
export function ibv_unimport_dm(_dm: unknown): never {
  refuseLeftOut('ibv_unimport_dm');
}

/** Not supported: tag matching. */
export function ibv_post_srq_ops(_srq: unknown, _op: unknown, _bad_op: unknown): never {
  refuseLeftOut('ibv_post_srq_ops');
}

/** Not supported: tag matching. */
export function ibv_wc_read_tm_info(_cq: unknown, _tm_info: unknown): never {
  refuseLeftOut('ibv_wc_read_tm_info');
}

/** Not supported: TCP segmentation (TSO). */
export function ibv_wr_send_tso(_qp: unknown, _hdr: unknown, _hdr_sz: unknown, _mss: unknown): never {
  refuseLeftOut('ibv_wr_send_tso');
}

/** Not supported: VLAN tags of completions. */
export function ibv_wc_read_cvlan(_cq: unknown): never {
  refuseLeftOut('ibv_wc_read_cvlan');
}

/** Not supported: VLAN tags of completions. */
export function ibv_resolve_eth_l2_from_gid(
  _context: unknown,
  _attr: unknown,
  _eth_mac: unknown,
  _vid: unknown,
): never {
  refuseLeftOut('ibv_resolve_eth_l2_from_gid');
}

/** Not supported: counters of flows. */
export function ibv_create_counters(_context: unknown, _init_attr: unknown): never {
  refuseLeftOut('ibv_create_counters');
}

/** Not supported: counters of flows. */
export function ibv_destroy_counters(_counters: unknown): never {
  refuseLeftOut('ibv_destroy_counters');
}

/** Not supported: counters of flows. */
export function ibv_attach_counters_point_flow(_counters: unknown, _attr: unknown, _flow: unknown): never {
  refuseLeftOut('ibv_attach_counters_point_flow');
}

/** Not supported: counters of flows. */
export function ibv_read_counters(
  _counters: unknown,
  _counters_value: unknown,
  _ncounters: unknown,
  _flags: unknown,
): never {
  refuseLeftOut('ibv_read_counters');
}

/** Not supported: completion counters. */
export function ibv_query_comp_cntr_caps(_context: unknown, _caps: unknown): never {
  refuseLeftOut('ibv_query_comp_cntr_caps');
}

/** Not supported: completion counters. */
export function ibv_create_comp_cntr(_context: unknown, _cc_attr: unknown): never {
  refuseLeftOut('ibv_create_comp_cntr');
}

/** Not supported: completion counters. */
export function ibv_destroy_comp_cntr(_comp_cntr: unknown): never {
  refuseLeftOut('ibv_destroy_comp_cntr');
}

/** Not supported: completion counters. */
export function ibv_set_comp_cntr(_comp_cntr: unknown, _value: unknown): never {
  refuseLeftOut('ibv_set_comp_cntr');
}

/** Not supported: completion counters. */
export function ibv_set_err_comp_cntr(_comp_cntr: unknown, _value: unknown): never {
  refuseLeftOut('ibv_set_err_comp_cntr');
}

/** Not supported: completion counters. */
export function ibv_inc_comp_cntr(_comp_cntr: unknown, _amount: unknown): never {
  refuseLeftOut('ibv_inc_comp_cntr');
}

/** Not supported: completion counters. */
export function ibv_inc_err_comp_cntr(_comp_cntr: unknown, _amount: unknown): never {
  refuseLeftOut('ibv_inc_err_comp_cntr');
}

/** Not supported: completion counters. */
export function ibv_read_comp_cntr(_comp_cntr: unknown, _value: unknown): never {
  refuseLeftOut('ibv_read_comp_cntr');
}

/** Not supported: completion counters. */
export function ibv_read_err_comp_cntr(_comp_cntr: unknown, _value: unknown): never {
  refuseLeftOut('ibv_read_err_comp_cntr');
}

/** Not supported: completion counters. */
export function ibv_qp_attach_comp_cntr(_qp: unknown, _comp_cntr: unknown, _attr: unknown): never {
  refuseLeftOut('ibv_qp_attach_comp_cntr');
}

/** Not supported: DMA handles (TPH). */
export function ibv_alloc_dmah(_context: unknown, _attr: unknown): never {
  refuseLeftOut('ibv_alloc_dmah');
}

/** Not supported: DMA handles (TPH). */
export function ibv_dealloc_dmah(_dmah: unknown): never {
  refuseLeftOut('ibv_dealloc_dmah');
}

/** Not supported: enhanced connection establishment (ECE). */
export function ibv_query_ece(_qp: unknown, _ece: unknown): never {
  refuseLeftOut('ibv_query_ece');
}

/** Not supported: enhanced connection establishment (ECE). */
export function ibv_set_ece(_qp: unknown, _ece: unknown): never {
  refuseLeftOut('ibv_set_ece');
}

/** Not supported: packet pacing. */
export function ibv_modify_qp_rate_limit(_qp: unknown, _attr: unknown): never {
  refuseLeftOut('ibv_modify_qp_rate_limit');
}
