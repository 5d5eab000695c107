/** A write that comes in packets: only the first of them says where it goes, so words of the transport context keep that. */
import type { Packet } from '@openverbs/rocev2';
import type { Request } from '../request.ts';
import { Qpt } from './layout.ts';

const { INBOUND_RKEY, INBOUND_VA_LO, INBOUND_VA_HI, INBOUND_LENGTH } = Qpt;

/** Keeps the RETH of a packet that begins a write. */
export function rememberWrite(i32: Int32Array, t: number, { rkey, vaLo, vaHi, dmaLength }: Packet): void {
  i32[t + INBOUND_RKEY] = rkey;
  i32[t + INBOUND_VA_LO] = vaLo;
  i32[t + INBOUND_VA_HI] = vaHi;
  i32[t + INBOUND_LENGTH] = dmaLength;
}

/** Sets the remote address of a request to where the byte `offset` of the write goes. */
export function addressWrite(i32: Int32Array, t: number, offset: number, request: Request): void {
  request.rkey = i32[t + INBOUND_RKEY];
  request.setRemote(i32[t + INBOUND_VA_LO], i32[t + INBOUND_VA_HI], offset);
}
