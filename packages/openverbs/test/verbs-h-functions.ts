/** The functions of `<infiniband/verbs.h>` and how many arguments each takes. Taken from rdma-core 691953d8d. */
const FUNCTIONS = `
ibv_wc_status_str 1, ibv_rate_to_mult 1, mult_to_ibv_rate 1, ibv_rate_to_mbps 1, mbps_to_ibv_rate 1, ibv_wr_opcode_str 1, ibv_qp_to_qp_ex
1, ibv_wr_atomic_cmp_swp 5, ibv_wr_atomic_fetch_add 4, ibv_wr_bind_mw 4, ibv_wr_local_inv 2, ibv_wr_rdma_read 3,
ibv_wr_rdma_write 3, ibv_wr_flush 6, ibv_wr_rdma_write_imm 4, ibv_wr_send 1, ibv_wr_send_imm 2, ibv_wr_send_inv 2,
ibv_wr_send_tso 4, ibv_wr_set_ud_addr 4, ibv_wr_set_xrc_srqn 2, ibv_wr_set_inline_data 3, ibv_wr_set_inline_data_list
3, ibv_wr_set_sge 4, ibv_wr_set_sge_list 3, ibv_wr_start 1, ibv_wr_complete 1, ibv_wr_abort 1, ibv_wr_atomic_write 4,
ibv_cq_ex_to_cq 1, ibv_start_poll 2, ibv_next_poll 1, ibv_end_poll 1, ibv_wc_read_opcode 1, ibv_wc_read_vendor_err 1,
ibv_wc_read_byte_len 1, ibv_wc_read_imm_data 1, ibv_wc_read_invalidated_rkey 1, ibv_wc_read_qp_num 1,
ibv_wc_read_src_qp 1, ibv_wc_read_wc_flags 1, ibv_wc_read_slid 1, ibv_wc_read_sl 1, ibv_wc_read_dlid_path_bits 1,
ibv_wc_read_completion_ts 1, ibv_wc_read_completion_wallclock_ns 1, ibv_wc_read_cvlan 1, ibv_wc_read_flow_tag 1,
ibv_wc_read_tm_info 2, ibv_post_wq_recv 3, ibv_get_device_list 1, ibv_free_device_list 1, ibv_get_device_name 1,
ibv_get_device_index 1, ibv_get_device_guid 1, ibv_open_device 1, ibv_close_device 1, ibv_import_device 1,
ibv_import_pd 2, ibv_unimport_pd 1, ibv_import_mr 2, ibv_unimport_mr 1, ibv_import_dm 2, ibv_unimport_dm 1,
ibv_get_async_event 2, ibv_ack_async_event 1, ibv_query_device 2, ibv_query_port 3, ibv_query_port_speed 3,
ibv_query_gid 4, ibv_query_gid_ex 5, ibv_query_gid_table 4, ibv_query_pkey 4, ibv_get_pkey_index 3, ibv_alloc_pd 1,
ibv_dealloc_pd 1, ibv_create_flow 2, ibv_destroy_flow 1, ibv_create_flow_action_esp 2, ibv_modify_flow_action_esp 2,
ibv_destroy_flow_action 1, ibv_open_xrcd 2, ibv_close_xrcd 1, ibv_reg_mr_iova2 5, ibv_reg_mr 4, ibv_reg_mr_iova 5,
ibv_reg_dmabuf_mr 6, ibv_reg_mr_ex 2, ibv_rereg_mr 6, ibv_dereg_mr 1, ibv_alloc_mw 2, ibv_dealloc_mw 1, ibv_inc_rkey
1, ibv_bind_mw 3, ibv_create_comp_channel 1, ibv_destroy_comp_channel 1, ibv_advise_mr 5, ibv_alloc_dm 2, ibv_free_dm
1, ibv_dm_export_dmabuf_fd 1, ibv_memcpy_to_dm 4, ibv_memcpy_from_dm 4, ibv_alloc_null_mr 1, ibv_reg_dm_mr 5,
ibv_create_cq 5, ibv_create_cq_ex 2, ibv_resize_cq 2, ibv_destroy_cq 1, ibv_get_cq_event 3, ibv_ack_cq_events 2,
ibv_poll_cq 3, ibv_req_notify_cq 2, ibv_modify_cq 2, ibv_query_comp_cntr_caps 2, ibv_create_comp_cntr 2,
ibv_destroy_comp_cntr 1, ibv_set_comp_cntr 2, ibv_set_err_comp_cntr 2, ibv_inc_comp_cntr 2, ibv_inc_err_comp_cntr 2,
ibv_read_comp_cntr 2, ibv_read_err_comp_cntr 2, ibv_create_srq 2, ibv_create_srq_ex 2, ibv_modify_srq 3, ibv_query_srq
2, ibv_get_srq_num 2, ibv_destroy_srq 1, ibv_post_srq_recv 3, ibv_post_srq_ops 3, ibv_create_qp 2, ibv_create_qp_ex 2,
ibv_alloc_td 2, ibv_dealloc_td 1, ibv_alloc_parent_domain 2, ibv_alloc_buf 3, ibv_export_buf_dmabuf_fd 1, ibv_free_buf
1, ibv_reg_buf_mr 5, ibv_alloc_dmah 2, ibv_dealloc_dmah 1, ibv_query_rt_values_ex 2, ibv_query_device_ex 3,
ibv_open_qp 2, ibv_modify_qp 3, ibv_modify_qp_rate_limit 2, ibv_qp_attach_comp_cntr 3, ibv_query_qp_data_in_order 3,
ibv_query_qp 4, ibv_destroy_qp 1, ibv_create_wq 2, ibv_modify_wq 2, ibv_destroy_wq 1, ibv_create_rwq_ind_table 2,
ibv_destroy_rwq_ind_table 1, ibv_post_send 3, ibv_post_recv 3, ibv_create_ah 2, ibv_init_ah_from_wc 5,
ibv_create_ah_from_wc 4, ibv_destroy_ah 1, ibv_attach_mcast 3, ibv_detach_mcast 3, ibv_fork_init 0,
ibv_is_fork_initialized 0, ibv_node_type_str 1, ibv_port_state_str 1, ibv_event_type_str 1,
ibv_resolve_eth_l2_from_gid 4, ibv_is_qpt_supported 2, ibv_create_counters 2, ibv_destroy_counters 1,
ibv_attach_counters_point_flow 3, ibv_read_counters 4, ibv_flow_label_to_udp_sport 1, ibv_set_ece 2, ibv_query_ece 2`;

/** The same, by name. */
export const VERBS_H_FUNCTIONS: ReadonlyMap<string, number> = new Map(
  FUNCTIONS.split(',').map((entry) => {
    const [name, count] = entry.trim().split(/\s+/);
    return [name, Number(count)] as const;
  }),
);
