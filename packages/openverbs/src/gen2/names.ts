/** Rates, and descriptions of enum values, by their C names. */
import {
  eventTypeStr,
  flowLabelToUdpSport,
  mbpsToRate,
  multToRate,
  nodeTypeStr,
  portStateStr,
  rateToMbps,
  rateToMult,
  wcStatusStr,
  wrOpcodeStr,
} from '@openverbs/verbs';
import type { Rate } from '@openverbs/verbs';

/** The multiple of 2.5 Gb/s that a rate is; -1 if it is none. */
export function ibv_rate_to_mult(rate: number): number {
  return rateToMult(rate);
}

/** The rate that is a multiple of 2.5 Gb/s; `IBV_RATE_MAX` if there is none. */
export function mult_to_ibv_rate(mult: number): Rate {
  return multToRate(mult);
}

/** Describes a node type. */
export function ibv_node_type_str(node_type: number): string {
  return nodeTypeStr(node_type);
}

/** Describes the state of a port. */
export function ibv_port_state_str(port_state: number): string {
  return portStateStr(port_state);
}

/** Describes an asynchronous event. */
export function ibv_event_type_str(event: number): string {
  return eventTypeStr(event);
}

/** Describes how a work request ended. */
export function ibv_wc_status_str(status: number): string {
  return wcStatusStr(status);
}

/** A rate in Mb/s; -1 if it is none. */
export function ibv_rate_to_mbps(rate: number): number {
  return rateToMbps(rate);
}

/** The rate of exactly `mbps` Mb/s; `IBV_RATE_MAX` if there is none. */
export function mbps_to_ibv_rate(mbps: number): Rate {
  return mbpsToRate(mbps);
}

/** Describes the operation of a send work request. */
export function ibv_wr_opcode_str(opcode: number): string {
  return wrOpcodeStr(opcode);
}

/** The UDP source port that RoCE v2 makes of a flow label, so that the two halves of the label choose the same path. */
export function ibv_flow_label_to_udp_sport(fl: number): number {
  return flowLabelToUdpSport(fl);
}

/** Whether bit `qpt` of `caps`, a mask of queue pair types, is set; 1 or 0. */
export function ibv_is_qpt_supported(caps: number, qpt: number): number {
  return (caps >>> qpt) & 1;
}
