/** Sends that wait for a guest's rate: they end with their queue pair, its context and its guest, and so does the guest's turn. */
import { expect } from 'chai';
import { XenbusState } from '@openverbs/hypervisor';
import { hostClock } from '@openverbs/machine';
import { connectPair, QpState, QpType, Sge, WcStatus, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import type { QpAttrInit } from '@openverbs/verbs';
import { handlers } from '../src/backend/dispatch.ts';
import type { RequestQueue } from '../src/backend/request-queue.ts';
import { Requests } from '../src/backend/requests.ts';
import type { Scheduler } from '../src/backend/scheduler.ts';
import { setShare } from '../src/toolstack.ts';
import { HonestGuest } from './support/honest-guest.ts';
import { XenMachine } from './support/xen-machine.ts';
import type { GuestParts } from './support/xen-machine.ts';

/** A byte a second: the first send leaves debts for the time of any test. */
const SLOW = { weight: 1, rateBytesPerS: 1, burstBytes: 1 };
const SENDS = 4;
const SEND_BYTES = 64;

describe('sends that wait in the back-end', () => {
  let xen: XenMachine;
  let guest: GuestParts;
  let program: HonestGuest;
  let queue: RequestQueue;

  beforeEach(() => {
    xen = new XenMachine();
    guest = xen.addGuest('basic');
    program = new HonestGuest(xen, xen.deviceOf(guest));
    [queue] = xen.dom0.backend.guests.map(({ requests }) => requests.queue);
    setShare(xen.toolstack.xenstore, guest.domid, 0, SLOW);
    xen.settle();
    const [{ addr, lkey }, { addr: remoteAddr, rkey }] = program.mrs;
    for (let n = 0; n < SENDS; n++) {
      program.qps[0].postSend({
        opcode: WrOpcode.RDMA_WRITE,
        sgList: [new Sge(addr, SEND_BYTES, lkey)],
        remoteAddr,
        rkey,
      });
    }
    expect(queue.length).to.equal(SENDS - 1);
  });
  afterEach(() => {
    xen.close();
  });

  it('are forgotten when their queue pair is destroyed', () => {
    program.qps[0].destroy();
    expect(queue.length).to.equal(0);
  });

  describe('when their queue pair is modified', () => {
    /** As a front-end may ask for it that checks nothing. */
    function modify(attr: QpAttrInit): void {
      const [own] = xen.dom0.backend.guests;
      const [context] = own.contexts;
      const [{ qp }] = context.qps.values();
      handlers.MODIFY_QP(own, { context: context.handle, qp: qp.handle, attr: attr as never });
    }

    for (const [what, attrs] of [
      ['with no attribute', [{}]],
      ['to where it is', [{ qpState: QpState.RTS }]],
      ['to SQD and back', [{ qpState: QpState.SQD }, { qpState: QpState.RTS }]],
    ] as const) {
      it(`${what}, wait on`, () => {
        for (const attr of attrs) modify(attr);
        expect([queue.length, queue.bytes]).to.deep.equal([SENDS - 1, SEND_BYTES]);
      });
    }

    for (const qpState of [QpState.RESET, QpState.ERR, QpState.SQD, QpState.INIT]) {
      it(`to state ${qpState}, and that is refused, wait on`, () => {
        expect(() => {
          modify({ qpState, destQpNum: 1 });
        }).to.throw('from RTS');
        expect([queue.length, queue.bytes]).to.deep.equal([SENDS - 1, SEND_BYTES]);
      });
    }

    it('to RESET, are forgotten', () => {
      program.qps[0].modify({ qpState: QpState.RESET });
      expect([queue.length, queue.bytes]).to.deep.equal([0, SEND_BYTES]);
    });

    it('to ERR, complete with flush errors, and are not charged: nothing is sent', () => {
      program.qps[0].modify({ qpState: QpState.ERR });
      xen.settle();
      const wcs = WorkCompletion.array(2 * SENDS);
      const { SUCCESS, WR_FLUSH_ERR } = WcStatus;
      const statuses = wcs.slice(0, program.cq.poll(wcs)).map(({ status }) => status);
      expect(statuses).to.deep.equal([SUCCESS, ...new Array<number>(SENDS - 1).fill(WR_FLUSH_ERR)]);
      expect([queue.length, queue.refused, queue.bytes]).to.deep.equal([0, 0, SEND_BYTES]);
    });
  });

  it('complete with flush errors when their queue pair leaves SQE: there the device would have flushed them', () => {
    const { pd, cq, context, mrs } = program;
    setShare(xen.toolstack.xenstore, guest.domid, 0, { weight: 1, rateBytesPerS: 1e12, burstBytes: 0 });
    xen.settle();
    const wcs = WorkCompletion.array(2 * SENDS);
    cq.poll(wcs);
    const cap = { maxSendWr: 8, maxRecvWr: 8, maxSendSge: 1, maxRecvSge: 1 };
    const [qp, peer] = [0, 1].map(() =>
      pd.createQp({ qpType: QpType.UC, sendCq: cq, recvCq: cq, cap, sqSigAll: true }),
    );
    connectPair(qp, peer);
    setShare(xen.toolstack.xenstore, guest.domid, 0, SLOW);
    xen.settle();
    const [{ addr, lkey }, { addr: remoteAddr, rkey }] = mrs;
    const write = (key: number, wrId: number): void => {
      const sgList = [new Sge(addr, SEND_BYTES, key)];
      qp.postSend({ wrId, opcode: WrOpcode.RDMA_WRITE, sgList, remoteAddr, rkey });
    };
    write(lkey + 1, 1);
    for (const wrId of [2, 3]) write(lkey, wrId);
    expect([queue.length, qp.query().attr.qpState]).to.deep.equal([2, QpState.SQE]);
    const { bytes } = queue;
    qp.modify({ qpState: QpState.RTS });
    const polled = wcs.slice(0, cq.poll(wcs)).map(({ wrId, status }) => [wrId, status]);
    const { LOC_PROT_ERR, WR_FLUSH_ERR } = WcStatus;
    expect(polled).to.deep.equal([
      [1, LOC_PROT_ERR],
      [2, WR_FLUSH_ERR],
      [3, WR_FLUSH_ERR],
    ]);
    expect([queue.length, queue.bytes, qp.query().attr.qpState]).to.deep.equal([0, bytes, QpState.RTS]);
    context[Symbol.dispose]();
  });

  it('are forgotten when their context is closed with all in it', () => {
    const [own] = xen.dom0.backend.guests;
    for (const { handle } of [...own.contexts]) own.closeContext(handle);
    expect(queue.length).to.equal(0);
    xen.destroy(guest);
  });

  it('are forgotten when the toolstack begins anew', () => {
    const back = `/local/domain/0/backend/vib/${guest.domid}/0`;
    guest.domain.xenstore.write(`${guest.path}/state`, String(XenbusState.INITIALISING));
    xen.toolstack.xenstore.write(`${back}/state`, String(XenbusState.INITIALISING));
    xen.settle();
    expect(xen.dom0.backend.guests).to.deep.equal([]);
    expect(queue.length).to.equal(0);
    xen.destroy(guest);
  });

  it('are forgotten when their guest is gone', () => {
    xen.destroy(guest);
    expect(queue.length).to.equal(0);
  });

  it('have no turn any more after a guest has disconnected, so that to connect often makes no larger share', () => {
    const queues: RequestQueue[] = [];
    const scheduler = {
      add: (each: RequestQueue) => queues.push(each),
      remove: (each: RequestQueue) => queues.splice(queues.indexOf(each), 1),
    };
    for (let n = 0; n < 3; n++) {
      const requests = new Requests(queue, scheduler as unknown as Scheduler, hostClock);
      expect(queues).to.deep.equal([queue]);
      requests.close();
    }
    expect(queues).to.deep.equal([]);
  });
});
