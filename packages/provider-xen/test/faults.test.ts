/** A fault of the back-end's own is nobody's refusal: it is told as what it is, counted as such, and ends the guest where it is not within a command. */
import { expect } from 'chai';
import { HypervisorError, SharedRing } from '@openverbs/hypervisor';
import type { DomainMemory } from '@openverbs/hypervisor';
import { VerbsError } from '@openverbs/verbs';
import type { Device, QueuePair } from '@openverbs/verbs';
import { Account } from '../src/backend/accounting.ts';
import { handlers } from '../src/backend/dispatch.ts';
import type { Guest } from '../src/backend/guest.ts';
import { RequestQueue } from '../src/backend/request-queue.ts';
import { Requests } from '../src/backend/requests.ts';
import { Scheduler } from '../src/backend/scheduler.ts';
import { defaultQuotas } from '../src/backend/shares.ts';
import { Commands, RegionUse } from '../src/protocol/commands.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { hookingPart } from './support/replacing.ts';
import { sendOf } from './support/saturated-guest.ts';
import { XenMachine } from './support/xen-machine.ts';

const { ALLOC_PD, BEGIN_REGION, ADD_PAGES, OPEN_CONTEXT, CLOSE_CONTEXT, QUERY_PORT } = Commands;
const FAULT = new TypeError('a fault of the back-end');
const clock = { nowNs: () => 0, setTimer: () => () => undefined };

describe('a fault of the back-end', () => {
  describe('at a guest', () => {
    let xen: XenMachine;
    let front: HostileFrontend;
    let broken: string;
    let fault: Error;

    beforeEach(() => {
      [broken, fault] = ['', FAULT];
      const breaking = (of: string) => (): void => {
        if (broken === of) throw fault;
      };
      xen = new XenMachine({
        wrapDom0: (dom0) => {
          const memory = hookingPart(dom0, 'memory', 'pinPages', breaking('pinPages'));
          const grants = hookingPart(memory, 'grantTable', 'map', breaking('map'));
          const ends = hookingPart(grants, 'grantTable', 'endAccess', breaking('endAccess'));
          return hookingPart(ends, 'eventChannels', 'notify', breaking('notify'));
        },
      });
      front = new HostileFrontend(xen, xen.addGuest('bypass'));
    });
    afterEach(() => {
      broken = '';
      xen.close();
    });

    it('is told as one, counted, and changes nothing', () => {
      front.connect();
      const { context } = front.call(OPEN_CONTEXT, {});
      const { pd } = front.call(ALLOC_PD, { context });
      const place = { iova: 0x10000, length: 4096, firstOffset: 0, pages: 1 };
      const request = { context, use: RegionUse.MEMORY, mr: 0, flags: 0, pd, access: 1, ...place };
      const { region } = front.call(BEGIN_REGION, request);
      const [guest] = xen.dom0.backend.guests;
      const pages = [front.guest.domain.memory.allocPages(1)];
      broken = 'pinPages';
      expect(() => front.refusal(ADD_PAGES, { region, pages })).to.throw('the back-end failed at this command');
      broken = '';
      expect([guest.counts[Account.REFUSED], guest.counts[Account.FAULTS]]).to.deep.equal([1, 1]);
      expect(guest.quota.used).to.include({ pages: 0, pinnedRuns: 0 });
      expect(front.refusal(QUERY_PORT, { context, port: 9 })).to.match(/^EINVAL/);
      expect([guest.counts[Account.REFUSED], guest.counts[Account.FAULTS]]).to.deep.equal([2, 1]);
    });

    it('is none when a UAR is mapped still, which is kept, and one when its grant cannot be ended for another reason', () => {
      front.connect();
      const [first, second] = [1, 2].map(() => front.call(OPEN_CONTEXT, {}).context);
      broken = 'endAccess';
      fault = new HypervisorError('EBUSY', 'it is mapped');
      front.call(CLOSE_CONTEXT, { context: first });
      expect(xen.dom0.backend.uarsKept).to.equal(1);
      fault = new HypervisorError('ENOENT', 'there is no such grant');
      expect(() => front.call(CLOSE_CONTEXT, { context: second })).to.throw('the back-end failed at this command');
    });

    it('when it connects is kept for who looks for it, and nobody is connected', () => {
      broken = 'map';
      expect(() => front.connect()).to.throw('the back-end has failed at a guest');
      expect(xen.dom0.backend.fault).to.equal(FAULT);
      expect(xen.dom0.backend.guests).to.deep.equal([]);
    });

    it('when its ring is served disconnects it', () => {
      front.connect();
      const { i32, word } = front.page(0);
      Atomics.store(i32, word + SharedRing.RSP_EVENT, 1);
      broken = 'notify';
      expect(() => front.call(OPEN_CONTEXT, {})).to.throw('the back-end has failed at a guest');
      expect(xen.dom0.backend.fault).to.equal(FAULT);
      expect(xen.dom0.backend.guests).to.deep.equal([]);
    });
  });

  it('at the post of a send that has waited is for the back-end to find, and nothing waits any more', () => {
    const qp = {
      label: 'QP 1',
      cap: { maxSendWr: 4, maxSendSge: 2, maxInlineData: 0 },
      postSend: () => {
        throw FAULT;
      },
    } as unknown as QueuePair;
    const queue = new RequestQueue();
    queue.push(qp, [sendOf(1), sendOf(1)]);
    queue.postNext();
    expect(queue.failure).to.equal(FAULT);
    expect([queue.refused, queue.length, queue.holds(qp)]).to.deep.equal([0, 0, false]);
  });

  it('at a later one of several sends names no work request, and neither does a refusal that named none', () => {
    for (const error of [FAULT, new VerbsError({ code: 'EIO', message: 'the device is gone' })]) {
      let posts = 0;
      const qp = {
        postSend: () => {
          if (++posts > 1) throw error;
        },
      } as unknown as QueuePair;
      const queue = new RequestQueue();
      queue.bucket.set(1e9, 1e9, 0);
      queue.bucket.set(1e9, 1e9, 1e9);
      const requests = new Requests(queue, new Scheduler(), { ...clock, nowNs: () => 2e9 });
      expect(() => {
        requests.post(qp, [sendOf(64), sendOf(64)], Infinity);
      }).to.throw(error);
      expect(posts).to.equal(2);
    }
  });

  it('at arming is none where the lower device only cannot tell what was missed', () => {
    const armed: boolean[] = [];
    const arm = (error: Error): { missed: boolean } => {
      const cq = {
        reqNotifyReportMissed: () => {
          throw error;
        },
        reqNotify: (solicitedOnly: boolean) => armed.push(solicitedOnly),
      };
      const guest = { context: () => ({ cqs: { get: () => ({ cq }) } }) } as unknown as Guest;
      return handlers.REQ_NOTIFY_CQ(guest, { context: 1, cq: 1, solicitedOnly: true });
    };
    expect(arm(new VerbsError({ code: 'EOPNOTSUPP', message: 'it can’t tell' }))).to.deep.equal({ missed: true });
    expect(armed).to.deep.equal([true]);
    const broken = new VerbsError({ code: 'EIO', message: 'the device is gone' });
    for (const error of [broken, FAULT]) expect(() => arm(error)).to.throw(error);
    expect(armed).to.deep.equal([true]);
  });

  it('when a device is asked for its limits comes out; one that was pulled out has none', () => {
    const deviceThatThrows = (error: Error): Device =>
      ({
        open: () => {
          throw error;
        },
      }) as unknown as Device;
    const memory = { maxPages: 2 ** 18, pinnedRunsMax: 2 ** 17 } as DomainMemory;
    const gone = new VerbsError({ code: 'ENODEV', message: 'it is gone' });
    expect(defaultQuotas([deviceThatThrows(gone)], memory)).to.deep.equal(defaultQuotas([], memory));
    expect(() => defaultQuotas([deviceThatThrows(FAULT)], memory)).to.throw(FAULT);
  });
});
