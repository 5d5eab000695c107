/** The places of completions that a guest of basic was given and has not polled. */
import { expect } from 'chai';
import { connectPair, CreateCqFlags, QpType, Sge, WrOpcode } from '@openverbs/verbs';
import { handlers } from '../src/backend/dispatch.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { XenMachine } from './support/xen-machine.ts';

const SENDS = 8;

describe('completions that were given and not polled', () => {
  let xen: XenMachine;

  beforeEach(() => {
    xen = new XenMachine();
  });
  afterEach(() => {
    xen.close();
  });

  /** Gives all completions of a CQ to the guest, which polls none; then the CQ is made smaller. */
  function giveAndShrink(flags: number): () => void {
    const program = new HonestGuest(xen, xen.deviceOf(xen.addGuest('basic')));
    const [{ addr, lkey }, { addr: remoteAddr, rkey }] = program.mrs;
    const made = program.context.createCqEx({ cqe: 2 * SENDS, flags });
    const init = { qpType: QpType.RC, sendCq: made, recvCq: made, cap: { maxSendWr: SENDS }, sqSigAll: true };
    const [near, far] = [program.pd.createQp(init), program.pd.createQp(init)];
    connectPair(near, far);
    const write = { opcode: WrOpcode.RDMA_WRITE, sgList: [new Sge(addr, 8, lkey)], remoteAddr, rkey };
    for (let n = 0; n < SENDS; n++) near.postSend(write);
    xen.settle();
    const [guest] = xen.dom0.backend.guests;
    const [{ handle: context, cqs }] = guest.contexts;
    const { cq } = [...cqs.values()].at(-1)!;
    const drain = { context, cq: cq.handle, max: 2 * SENDS, consumed: 0, taken: 0 };
    expect(handlers.DRAIN_CQ(guest, drain).completions).to.have.length(SENDS);
    return () => handlers.RESIZE_CQ(guest, { context, cq: cq.handle, cqe: SENDS / 2, consumed: 0, key: 0 });
  }

  it('keep their places in the CQ', () => {
    expect(giveAndShrink(0)).to.throw('the CQ holds 8 completions that nobody polled');
  });

  it('have none in a CQ that takes no notice of an overrun', () => {
    expect(giveAndShrink(CreateCqFlags.IGNORE_OVERRUN)).not.to.throw();
  });
});
