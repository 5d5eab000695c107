/** The work request of `ibv_bind_mw`. */
import { checkFlags } from './check.ts';
import { MwType } from './enums/mw.ts';
import { SendFlags, WrOpcode } from './enums/wr.ts';
import { invalid } from './errors.ts';
import { BIND_INIT_KEYS, checkBind, incRkey, type MemoryWindow, type MwBindInit } from './memory-window.ts';
import { SendWr } from './send-wr.ts';

const FLAGS_KNOWN = SendFlags.FENCE | SendFlags.SIGNALED | SendFlags.SOLICITED;

/** A BIND_MW of a window of type 1, to its next key. */
export function bindRequest(verb: string, mw: MemoryWindow, init: MwBindInit): SendWr {
  const bindMw = checkBind(verb, mw, 0, init, BIND_INIT_KEYS);
  if (mw.type !== MwType.TYPE_1) {
    throw invalid(verb, `${mw.label} is of type 2`, 'post a work request with opcode BIND_MW');
  }
  const { wrId = 0, sendFlags = 0 } = init;
  checkFlags(verb, 'sendFlags', sendFlags, SendFlags, FLAGS_KNOWN);
  const rkey = incRkey(mw.rkey);
  return new SendWr({ wrId, sendFlags, opcode: WrOpcode.BIND_MW, bindMw: { ...bindMw, rkey } });
}
