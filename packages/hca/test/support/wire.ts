/** What goes over the link of a testbed, packet by packet. */
import { decodeHeaders, decodeUdpIp, icrcOffset, Opcode, operationOf, Packet, UdpIp } from '@openverbs/rocev2';
import type { Testbed } from './testbed.ts';

/** A packet that a port has sent, whatever became of it. */
export interface WirePacket {
  readonly packet: Packet;
  readonly atNs: number;
}

/** Collects the packets that are sent from now on. */
export function listenToWire(bed: Testbed): WirePacket[] {
  const sent: WirePacket[] = [];
  bed.engine.events.tap.listener = {
    wantsFrames: true,
    wantsNotes: false,
    onFrame: ({ direction, frame, atNs }) => {
      if (direction !== 'sent') return;
      const packet = new Packet();
      const udpIp = new UdpIp();
      const bthAt = decodeUdpIp(frame, 0, frame.length, udpIp);
      decodeHeaders(frame, bthAt, icrcOffset(bthAt, udpIp), packet);
      sent.push({ packet, atNs });
    },
    onNote: () => undefined,
  };
  return sent;
}

/** Whether a packet is an acknowledge or a NAK. */
export function isAcknowledge({ packet }: WirePacket): boolean {
  return operationOf(packet.opcode) === Opcode.RC_ACKNOWLEDGE;
}
