/** Work requests of a guest, made anew for the lower device: what they name by handles becomes objects of the guest's. */
import { MwType, RecvWr, SendWr, VerbsError, WrOpcode } from '@openverbs/verbs';
import type { MwBind, QueuePair } from '@openverbs/verbs';
import type { RecvWrValue, SendWrValue } from '../protocol/attributes.ts';
import { memoryOf } from './guest-context.ts';
import type { GuestContext } from './guest-context.ts';

/** Work requests up to the first that is refused, and why that is. */
export interface Translated {
  readonly wrs: readonly SendWr[];
  readonly fault: VerbsError | null;
}

/** Makes the work requests of the lower device. One that names what the guest does not have is refused, as C refuses it. */
export function toSendWrs(owner: GuestContext, values: readonly SendWrValue[]): Translated {
  const wrs: SendWr[] = [];
  for (const value of values) {
    try {
      wrs.push(toSendWr(owner, value));
    } catch (error) {
      if (!VerbsError.is(error)) throw error;
      return { wrs, fault: error };
    }
  }
  return { wrs, fault: null };
}

function toSendWr(owner: GuestContext, { remoteAddrLo, remoteAddrHi, ah, bind, ...rest }: SendWrValue): SendWr {
  const wr = new SendWr({
    ...rest,
    invalidateRkey: rest.immData,
    ah: ah === 0 ? null : owner.ahs.get(ah),
    bindMw: bind === null ? null : bindOf(owner, bind),
  });
  wr.remoteAddrLo = remoteAddrLo;
  wr.remoteAddrHi = remoteAddrHi;
  return wr;
}

/** Posts to the lower device: a bind of a window of type 1 is a verb of its own. */
export function postTo(qp: QueuePair, wr: SendWr): void {
  const { bindMw: bind, wrId, sendFlags } = wr;
  if (bind === null || !isBindOfType1(wr)) {
    qp.postSend(wr);
    return;
  }
  const { mw, mr, addr, length, access } = bind;
  qp.bindMw(mw, { mr, addr, length, access, wrId, sendFlags });
}

/** Which work request a refused post is about; undefined when the error is of no post. */
export function badWrIndexOf(error: unknown): number | undefined {
  if (!VerbsError.is(error)) return undefined;
  const badWrIndex = error.details?.['badWrIndex'];
  return typeof badWrIndex === 'number' ? badWrIndex : undefined;
}

/** Posts several, in one go where that can be. @throws VerbsError with `badWrIndex` */
export function postAll(qp: QueuePair, wrs: readonly SendWr[]): void {
  if (!wrs.some(isBindOfType1)) {
    qp.postSend(wrs);
    return;
  }
  for (const [badWrIndex, wr] of wrs.entries()) {
    try {
      postTo(qp, wr);
    } catch (error) {
      if (!VerbsError.is(error)) throw error;
      const { code, message, hint } = error;
      throw new VerbsError({ code, message, hint, details: { badWrIndex }, cause: error });
    }
  }
}

function isBindOfType1({ opcode, bindMw }: SendWr): boolean {
  return opcode === WrOpcode.BIND_MW && bindMw?.mw.type === MwType.TYPE_1;
}

export function toRecvWrs(values: readonly RecvWrValue[]): RecvWr[] {
  return values.map((value) => new RecvWr(value));
}

function bindOf(owner: GuestContext, { mw, mr, ...rest }: NonNullable<SendWrValue['bind']>): MwBind {
  return { ...rest, mw: owner.mws.get(mw), mr: mr === 0 ? null : memoryOf(owner, mr).object };
}
