/** UD queue pairs, and what they send to each other and to groups, drawn at random. */
import { WrOpcode } from 'openverbs';
import type { Draw } from './draw.ts';
import { INLINE_BYTES_MAX } from './generate-operations.ts';
import { GRH_BYTES } from './program.ts';
import type { Datagram, SocketPlan } from './program.ts';
import { lengthOf } from './program.ts';

const DATAGRAMS_MAX = 30;
const GROUPS = 2;
const QKEYS = [0x11111111, 0x11111111, 0x22222222];
/** The longest message of one packet, over the ports of the devices. */
const MTU = 4096;

/** Several, or none. */
export function drawSockets(draw: Draw, devices: number): SocketPlan[] {
  if (draw.chance(0.6)) return [];
  return Array.from({ length: draw.between(2, 4) }, () => drawSocket(draw, draw.below(devices), devices));
}

function drawSocket(draw: Draw, device: number, devices: number): SocketPlan {
  const bytesMax = draw.pick([64, 512, MTU]);
  return {
    device,
    sendCq: device + devices * draw.below(2),
    recvCq: device + devices * draw.below(2),
    qkey: draw.pick(QKEYS),
    psn: draw.chance(0.5) ? 0xffffff : draw.below(0x1000000),
    maxSendWr: draw.between(2, 16),
    maxRecvWr: draw.between(1, 16),
    maxSge: draw.between(1, 4),
    maxInlineData: draw.pick([0, INLINE_BYTES_MAX]),
    sqSigAll: draw.chance(0.2),
    groups: Array.from({ length: GROUPS }, (_, group) => group).filter(() => draw.chance(0.4)),
    receives: Array.from({ length: draw.between(1, 40) }, () => GRH_BYTES + draw.length(MTU, bytesMax)),
  };
}

/** What all of them send. */
export function drawDatagrams(draw: Draw, sockets: readonly SocketPlan[]): Datagram[] {
  if (sockets.length === 0) return [];
  return Array.from({ length: draw.between(1, DATAGRAMS_MAX) }, () => drawDatagram(draw, sockets));
}

function drawDatagram(draw: Draw, sockets: readonly SocketPlan[]): Datagram {
  const socket = draw.below(sockets.length);
  const { maxSge, maxInlineData } = sockets[socket];
  const isToGroup = draw.chance(0.25);
  const mistake = draw.chance(0.85) ? null : draw.pick(isToGroup ? (['lkey', 'long'] as const) : MISTAKES);
  const length = mistake === 'long' ? MTU + 1 : mistake === 'lkey' ? 16 : draw.length(MTU, draw.pick([64, MTU]));
  const pieces = draw.split(length, maxSge);
  const isInline = mistake !== 'lkey' && lengthOf(pieces) <= maxInlineData;
  return {
    do: 'datagram',
    socket,
    waitNs: draw.waitNs(),
    to: isToGroup ? { group: draw.below(GROUPS), qkey: draw.pick(QKEYS) } : { socket: draw.below(sockets.length) },
    opcode: draw.chance(0.3) ? WrOpcode.SEND_WITH_IMM : WrOpcode.SEND,
    pieces,
    inline: isInline && draw.chance(0.6),
    signaled: draw.chance(0.6),
    solicited: draw.chance(0.3),
    imm: draw.word(),
    mistake,
    ...(draw.chance(0.25) && { extended: true }),
  };
}

const MISTAKES = ['qkey', 'qpn', 'lkey', 'long'] as const;
