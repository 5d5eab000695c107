/** Limits of the packet transport, by name. */

/**
 * PSNs that a requester has under way. As many packets as go by between two losses on a network that loses 1 %: whatever is behind a
 * loss goes again, so more would be sent in vain for the most part. Linux's rxe has 128 (rxe_param.h, RXE_MAX_UNACKED_PSNS).
 */
export const WINDOW_PACKETS = 96;
/** Number of a port that stands for all of its HCA: where datagrams for multicast groups go. */
export const PORT_OF_GROUPS = 0;
/** Every so many packets of a message one asks for an acknowledge: several in a window, so that the loss of one does no harm. */
export const ACK_REQ_PACKETS = 32;
/** Frames that requesters leave to responders, so that answers find one. */
export const FRAMES_RESERVED = 256;
/** Packets that one visit to a QP sends before others get their turn. */
export const TRANSMIT_BUDGET = 32;
/** Frames and visits that one pump serves before the lock is given back. */
export const PUMP_BUDGET = 4096;
