/** Limits of the packet transport, by name. */

/** PSNs that a requester has under way (source: Linux rxe_param.h, RXE_MAX_UNACKED_PSNS). */
export const WINDOW_PACKETS = 128;
/** Number of a port that stands for all of its HCA: where datagrams for multicast groups go. */
export const PORT_OF_GROUPS = 0;
/** Every so many packets of a message one asks for an acknowledge (source: Linux rxe_param.h, RXE_MAX_PKT_PER_ACK). */
export const ACK_REQ_PACKETS = 64;
/** Frames that requesters leave to responders, so that answers find one. */
export const FRAMES_RESERVED = 256;
/** Packets that one visit to a QP sends before others get their turn. */
export const TRANSMIT_BUDGET = 32;
/** Frames and visits that one pump serves before the lock is given back. */
export const PUMP_BUDGET = 4096;
