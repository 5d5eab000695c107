/** Rates, and descriptions of enum values, by their C names. */
import { eventTypeStr, multToRate, nodeTypeStr, portStateStr, rateToMult, wcStatusStr } from '@openverbs/verbs';
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
