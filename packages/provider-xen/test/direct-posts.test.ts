/** Posts of bypass, which the back-end counts when it looks: at each sample, and before a context ends between two of them. */
import { expect } from 'chai';
import { connectPair, QpState, QpType, Sge, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import type { QueuePair } from '@openverbs/verbs';
import { Account } from '../src/backend/accounting.ts';
import type { Guest } from '../src/backend/guest.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { XenMachine } from './support/xen-machine.ts';
import type { GuestParts } from './support/xen-machine.ts';

const BYTES = 64;
const MESSAGES = 2;
/** Looks at a CQ after which nothing comes any more. */
const LOOKS_MAX = 1000;

describe('direct posts of a guest', () => {
  let xen: XenMachine;
  let parts: GuestParts;
  let program: HonestGuest;
  let guest: Guest;

  beforeEach(() => {
    xen = new XenMachine();
    parts = xen.addGuest('bypass');
    program = new HonestGuest(xen, xen.deviceOf(parts));
    [guest] = xen.dom0.backend.guests;
  });
  afterEach(() => {
    xen.destroy(parts);
    xen.close();
  });

  /** Sends messages that take receives of an SRQ, and waits until they are done. Answers the queue pair that sent. */
  function send(): QueuePair {
    const { pd, cq } = program;
    const [{ addr, lkey }] = program.mrs;
    const sgList = [new Sge(addr, BYTES, lkey)];
    const srq = pd.createSrq({ attr: { maxWr: 8, maxSge: 1 } });
    const init = {
      qpType: QpType.RC,
      sendCq: cq,
      recvCq: cq,
      cap: { maxSendWr: 8, maxRecvWr: 0 },
      sqSigAll: true,
      srq,
    };
    const [near, far] = [pd.createQp(init), pd.createQp(init)];
    connectPair(near, far);
    for (let n = 0; n < MESSAGES; n++) {
      srq.postRecv({ sgList });
      near.postSend({ opcode: WrOpcode.SEND, sgList });
    }
    const wcs = WorkCompletion.array(1);
    for (let done = 0; done < 2 * MESSAGES; done++) {
      for (let looks = 0; cq.poll(wcs) === 0; looks++) expect(looks, 'looks at the CQ').to.be.below(LOOKS_MAX);
      expect(wcs[0].status).to.equal(WcStatus.SUCCESS);
    }
    return near;
  }

  const counted = (): number[] => [guest.counts[Account.DIRECT_POSTS], guest.counts[Account.BYTES]];
  // Sends of a queue pair, and receives of an SRQ.
  const ALL = [2 * MESSAGES, MESSAGES * BYTES];

  it('are not counted before somebody looks', () => {
    send();
    expect(counted()).to.deep.equal([0, 0]);
  });

  it('are counted at a sample', () => {
    send();
    xen.dom0.backend.sample();
    expect(counted()).to.deep.equal(ALL);
  });

  it('are counted once, however often it is looked', () => {
    send();
    xen.dom0.backend.sample();
    xen.dom0.backend.sample();
    for (const { handle } of [...guest.contexts]) guest.closeContext(handle);
    expect(counted()).to.deep.equal(ALL);
  });

  it('are counted on when a queue pair is reset', () => {
    const near = send();
    xen.dom0.backend.sample();
    near.modify({ qpState: QpState.RESET });
    xen.dom0.backend.sample();
    expect(counted()).to.deep.equal(ALL);
  });

  it('are counted of a context that is closed before the next sample', () => {
    send();
    for (const { handle } of [...guest.contexts]) guest.closeContext(handle);
    expect(counted()).to.deep.equal(ALL);
  });
});
