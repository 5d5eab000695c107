/**
 * Functions of kernel level that OpenVerbs leaves out. Each throws EOPNOTSUPP with what to use instead, as those of `openverbs/gen2` do.
 */
import { VerbsError } from '@openverbs/verbs';

interface LeftOut {
  readonly what: string;
  readonly why: string;
  readonly hint: string;
}

const MAD: LeftOut = {
  what: 'management datagrams',
  why: 'no device has QP0 or QP1 yet',
  hint: 'exchange qp.endpoint() over a connection of your own',
};

const FMR: LeftOut = {
  what: 'fast memory regions (FMR)',
  why: 'Linux dropped them',
  hint: 'use ib_reg_phys_mr, or the registration cache',
};

const MODIFY: LeftOut = {
  what: 'changes of a device or port',
  why: 'a program of this process does not administer it',
  hint: 'configure the provider',
};

const MODIFY_AH: LeftOut = {
  what: 'changes of an address handle',
  why: 'few devices of the time had them',
  hint: 'destroy it and create another',
};

const COUNTING: LeftOut = {
  what: 'counting completions without polling',
  why: 'few devices of the time had it',
  hint: 'poll, or use IB_CQ_REPORT_MISSED_EVENTS',
};

/** Not supported: management datagrams. */
export function ib_register_mad_agent(
  _device: unknown,
  _port_num: unknown,
  _qp_type: unknown,
  _mad_reg_req: unknown,
  _rmpp_version: unknown,
  _send_handler: unknown,
  _recv_handler: unknown,
  _context: unknown,
): never {
  refuse('ib_register_mad_agent', MAD);
}

/** Not supported: management datagrams. */
export function ib_register_mad_snoop(
  _device: unknown,
  _port_num: unknown,
  _qp_type: unknown,
  _mad_snoop_flags: unknown,
  _snoop_handler: unknown,
  _recv_handler: unknown,
  _context: unknown,
): never {
  refuse('ib_register_mad_snoop', MAD);
}

/** Not supported: management datagrams. */
export function ib_unregister_mad_agent(_mad_agent: unknown): never {
  refuse('ib_unregister_mad_agent', MAD);
}

/** Not supported: management datagrams. */
export function ib_create_send_mad(
  _mad_agent: unknown,
  _remote_qpn: unknown,
  _pkey_index: unknown,
  _rmpp_active: unknown,
  _hdr_len: unknown,
  _data_len: unknown,
  _gfp_mask: unknown,
): never {
  refuse('ib_create_send_mad', MAD);
}

/** Not supported: management datagrams. */
export function ib_free_send_mad(_send_buf: unknown): never {
  refuse('ib_free_send_mad', MAD);
}

/** Not supported: management datagrams. */
export function ib_post_send_mad(_send_buf: unknown, _bad_send_buf: unknown): never {
  refuse('ib_post_send_mad', MAD);
}

/** Not supported: management datagrams. */
export function ib_free_recv_mad(_mad_recv_wc: unknown): never {
  refuse('ib_free_recv_mad', MAD);
}

/** Not supported: management datagrams. */
export function ib_cancel_mad(_mad_agent: unknown, _send_buf: unknown): never {
  refuse('ib_cancel_mad', MAD);
}

/** Not supported: management datagrams. */
export function ib_modify_mad(_mad_agent: unknown, _send_buf: unknown, _timeout_ms: unknown): never {
  refuse('ib_modify_mad', MAD);
}

/** Not supported: management datagrams. */
export function ib_redirect_mad_qp(
  _qp: unknown,
  _rmpp_version: unknown,
  _send_handler: unknown,
  _recv_handler: unknown,
  _context: unknown,
): never {
  refuse('ib_redirect_mad_qp', MAD);
}

/** Not supported: management datagrams. */
export function ib_process_mad_wc(_mad_agent: unknown, _wc: unknown): never {
  refuse('ib_process_mad_wc', MAD);
}

/** Not supported: fast memory regions (FMR). */
export function ib_alloc_fmr(_pd: unknown, _mr_access_flags: unknown, _fmr_attr: unknown): never {
  refuse('ib_alloc_fmr', FMR);
}

/** Not supported: fast memory regions (FMR). */
export function ib_map_phys_fmr(_fmr: unknown, _page_list: unknown, _list_len: unknown, _iova: unknown): never {
  refuse('ib_map_phys_fmr', FMR);
}

/** Not supported: fast memory regions (FMR). */
export function ib_unmap_fmr(_fmr_list: unknown): never {
  refuse('ib_unmap_fmr', FMR);
}

/** Not supported: fast memory regions (FMR). */
export function ib_dealloc_fmr(_fmr: unknown): never {
  refuse('ib_dealloc_fmr', FMR);
}

/** Not supported: changes of a device or port. */
export function ib_modify_device(_device: unknown, _device_modify_mask: unknown, _device_modify: unknown): never {
  refuse('ib_modify_device', MODIFY);
}

/** Not supported: changes of a device or port. */
export function ib_modify_port(
  _device: unknown,
  _port_num: unknown,
  _port_modify_mask: unknown,
  _port_modify: unknown,
): never {
  refuse('ib_modify_port', MODIFY);
}

/** Not supported: changes of an address handle. */
export function ib_modify_ah(_ah: unknown, _ah_attr: unknown): never {
  refuse('ib_modify_ah', MODIFY_AH);
}

/** Not supported: counting completions without polling. */
export function ib_peek_cq(_cq: unknown, _wc_cnt: unknown): never {
  refuse('ib_peek_cq', COUNTING);
}

/** Not supported: counting completions without polling. */
export function ib_req_ncomp_notif(_cq: unknown, _wc_cnt: unknown): never {
  refuse('ib_req_ncomp_notif', COUNTING);
}

function refuse(verb: string, { what, why, hint }: LeftOut): never {
  throw new VerbsError({ code: 'EOPNOTSUPP', verb, message: `${what}: ${why}`, hint });
}
