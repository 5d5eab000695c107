/** The memory window of type 2 that an end shows to its peer: bound, invalidated by either, and bound again under another key. */
import { MwType, QpState, WcStatus, WrOpcode, incRkey } from 'openverbs';
import type { MemoryWindow } from 'openverbs';
import type { End } from './connection.ts';
import type { Operation } from './program.ts';

/** A window. */
export interface ShownWindow {
  readonly mw: MemoryWindow;
  rkey: number;
  isBound: boolean;
}

/**
 * What an operation does where it stands, which depends on the windows: one that is not bound can't be invalidated. Null for nothing.
 * Takes note of the invalidation.
 */
export function inPlace(operation: Operation, own: End, peer: End): Operation | null {
  const { opcode, mistake } = operation;
  if (opcode === WrOpcode.BIND_MW) return prepare(own, peer) ? operation : null;
  if (opcode === WrOpcode.LOCAL_INV) return unbind(own) ? operation : null;
  if (opcode === WrOpcode.SEND_WITH_INV) return unbind(peer) ? operation : { ...operation, opcode: WrOpcode.SEND };
  const hasStaleKey = peer.window !== null && !peer.window.isBound;
  return mistake === 'window' && !hasStaleKey ? { ...operation, mistake: 'rkey' } : operation;
}

/** Once a bind or an invalidation of an end is complete. */
export function noteBound({ window, record }: End): void {
  const send = record.sends.at(-1);
  if (window === null || send?.operation.opcode !== WrOpcode.BIND_MW) return;
  window.isBound = send.completion?.status === WcStatus.SUCCESS;
}

/** Ends the window of a round that is over. */
export function endWindow(end: End): void {
  end.window?.mw.dealloc();
  end.window = null;
}

/** Has a window that is not bound, under a new key; false when it is bound, or may be since the peer failed to invalidate it. */
function prepare(end: End, peer: End): boolean {
  if (end.window?.isBound === true || peer.qp === null || peer.qp.state === QpState.ERR) return false;
  if (end.window === null) {
    const mw = end.device.pd.allocMw(MwType.TYPE_2);
    end.window = { mw, rkey: mw.rkey, isBound: false };
  }
  end.window.rkey = incRkey(end.window.rkey);
  return true;
}

function unbind({ window }: End): boolean {
  if (window?.isBound !== true) return false;
  window.isBound = false;
  return true;
}
