import { VerbsError, WcFlags, WcOpcode, WcStatus, WorkCompletion } from '@openverbs/verbs';
import { QpTable } from '@openverbs/verbs/rings';
import { expect } from 'chai';

import { CqePoller, type CqePollerOptions, newCqePollerCounts, statisticsOf, storeCqe } from '../src/index.ts';
import { addQp, received, sent, SlowCq } from './slow-cq.ts';

interface Setup {
  readonly source: SlowCq;
  readonly qps: QpTable;
  readonly poller: CqePoller;
  readonly wcs: WorkCompletion[];
  poll(limit?: number): number[];
}

function setup(cqe = 8, cqesMax = cqe, options: CqePollerOptions = {}): Setup {
  const source = new SlowCq(cqe, cqesMax);
  const qps = new QpTable();
  const poller = new CqePoller(source, cqe, qps, options);
  const wcs = WorkCompletion.array(16);
  const poll = (limit = 16): number[] => {
    const n = poller.poll(wcs, limit);
    return n < 0 ? [n] : wcs.slice(0, n).map(({ wrId }) => wrId);
  };
  return { source, qps, poller, wcs, poll };
}

describe('CqePoller', () => {
  it('fetches all in one trip, and answers the polls after that itself', () => {
    const { source, qps, poller, poll } = setup();
    addQp(qps, 5);
    for (let n = 0; n < 6; n++) source.arrive(sent(5, n));
    expect([poll(2), poll(2), poll(2)]).to.deep.equal([
      [5000, 5001],
      [5002, 5003],
      [5004, 5005],
    ]);
    expect(poller.statistics).to.deep.equal({
      polls: 3,
      localPolls: 2,
      trips: 1,
      emptyTrips: 0,
      updates: 0,
      cqes: 6,
      arms: 0,
      purged: 0,
      buffered: 0,
    });
    expect(poll()).to.deep.equal([]);
    expect(poller.statistics).to.include({ polls: 4, localPolls: 2, trips: 2, emptyTrips: 1 });
  });

  it('counts together with others that are given the same counts', () => {
    const counts = newCqePollerCounts();
    const pollers = [1, 2].map(() => setup(8, 8, { counts }));
    for (const { source, qps, poll } of pollers) {
      addQp(qps, 5);
      for (let n = 0; n < 3; n++) source.arrive(sent(5, n));
      for (let n = 0; n < 3; n++) poll(1);
    }
    expect(statisticsOf(counts)).to.include({ polls: 6, localPolls: 4, trips: 2, cqes: 6 });
  });

  it('goes on where the area was full', () => {
    const { source, qps, poller, poll } = setup(8, 3);
    addQp(qps, 5);
    for (let n = 0; n < 8; n++) source.arrive(sent(5, n));
    expect(poll(2)).to.have.length(2);
    expect(poller.statistics, 'the area holds three').to.include({ trips: 1, cqes: 3 });
    expect(poll(), 'less than it asks for means that nothing is left').to.have.length(6);
    expect(source.entries).to.equal(0);
    expect(poll()).to.have.length(0);
    expect(poller.statistics).to.include({ trips: 4, cqes: 8, localPolls: 0 });
  });

  it('frees slots when the application polls, not when they are fetched', () => {
    const { source, qps, poll } = setup();
    const completed: number[] = [];
    const { send, recv } = addQp(qps, 5);
    addQp(qps, 6, { complete: (slot) => completed.push(slot) + 100 });
    for (const each of [sent(5, 0), received(5, 0), received(6, 3), sent(5, 1)]) source.arrive(each);
    expect(poll(1)).to.deep.equal([5000]);
    expect([send.tail, recv.tail, completed]).to.deep.equal([1, 0, []]);
    expect(poll(2)).to.deep.equal([5000, 101]);
    expect([send.tail, recv.tail, completed]).to.deep.equal([1, 1, [3]]);
    poll();
    expect(send.tail).to.equal(2);
  });

  it('tells every field of a completion', () => {
    const { source, qps, poller, wcs } = setup();
    addQp(qps, 5);
    const wc = Object.assign(new WorkCompletion(), {
      status: WcStatus.REM_ACCESS_ERR,
      opcode: WcOpcode.RECV,
      vendorErr: 0xffff_0001,
      byteLen: 0xffff_fff0,
      immData: 0xdead_beef,
      qpNum: 5,
      srcQp: 77,
      wcFlags: WcFlags.GRH | WcFlags.WITH_IMM,
      pkeyIndex: 0xffff,
      slid: 0xfffe,
      sl: 15,
      dlidPathBits: 127,
      faultKey: 0x8000_0000,
      faultAddr: 2 ** 45 + 3,
    });
    source.drain = () => {
      storeCqe(source.i32, source.word, wc, 7, 2 ** 40 + 2 ** 31 + 1);
      return 1;
    };
    expect(poller.poll(wcs, 16)).to.equal(1);
    expect({ ...wcs[0] }).to.deep.equal({ ...wc, wrId: 5007 });
    expect(poller.completionTs()).to.equal(2 ** 40 + 2 ** 31 + 1);
    expect(poller.kind).to.equal('calls');
  });

  it('gives each status back as it was', () => {
    const { source, qps, poller, wcs } = setup();
    addQp(qps, 5);
    const left = [WcStatus.RESP_TIMEOUT_ERR, WcStatus.TM_ERR, WcStatus.TM_RNDV_INCOMPLETE] as number[];
    for (const status of Object.values(WcStatus)) {
      source.drain = () => {
        storeCqe(source.i32, source.word, Object.assign(new WorkCompletion(), { status, qpNum: 5 }), 0, 0);
        return 1;
      };
      poller.poll(wcs, 1);
      expect(wcs[0].status, String(status)).to.equal(left.includes(status) ? WcStatus.GENERAL_ERR : status);
    }
  });

  it('skips completions of queue pairs that are gone, and looks for what comes after them', () => {
    const { source, qps, poller, poll } = setup(8, 2);
    addQp(qps, 5);
    for (const each of [sent(9, 0), sent(9, 1), sent(9, 2), sent(5, 0)]) source.arrive(each);
    expect(poll()).to.deep.equal([5000]);
    expect(poller.statistics).to.include({ polls: 1, trips: 2, cqes: 4 });
  });

  it('purges a queue pair from the buffer, and its SRQ gets back what was not polled', () => {
    const { source, qps, poller, poll } = setup();
    const completed: number[] = [];
    addQp(qps, 5, { complete: (slot) => completed.push(slot) });
    addQp(qps, 6);
    for (const each of [sent(6, 0), received(5, 2), sent(6, 1), sent(5, 0), received(5, 4)]) source.arrive(each);
    expect(poll(1)).to.deep.equal([6000]);
    source.purge(5);
    poller.purge(5);
    qps.remove(5);
    expect(completed.toSorted()).to.deep.equal([2, 4]);
    expect(poller.statistics).to.include({ purged: 3, buffered: 1 });
    addQp(qps, 5); // a later one of the same number
    expect([...poll(), ...poll()]).to.deep.equal([6001]);
  });

  it('answers REPORT_MISSED_EVENTS from the buffer and from the source', () => {
    const { source, qps, poller, poll } = setup();
    addQp(qps, 5);
    expect(poller.reqNotifyReportMissed(true)).to.equal(false);
    expect(source.armed).to.equal('solicited');
    source.arrive(sent(5, 0));
    source.arrive(sent(5, 1));
    expect(poller.reqNotifyReportMissed(false)).to.equal(true);
    expect(source.armed).to.equal('next');
    poll(1);
    expect(source.waiting).to.deep.equal([]);
    expect(poller.reqNotifyReportMissed(false)).to.equal(true);
    poll(1);
    expect(poller.reqNotifyReportMissed(false)).to.equal(false);
    expect(poller.statistics.arms).to.equal(4);
  });

  it('is resized with what it holds, up and down, and indices run on', () => {
    const { source, qps, poller, poll } = setup(4, 16);
    addQp(qps, 5);
    for (let n = 0; n < 4; n++) source.arrive(sent(5, n));
    expect(poll(1)).to.deep.equal([5000]);
    expect(poller.resize(9)).to.equal(9);
    expect([poller.cqe, poller.buffered, poller.consumed]).to.deep.equal([9, 3, 1]);
    expect(errorOf(() => poller.resize(2)).message).to.equal('3 entries are in use');
    for (let n = 4; n < 10; n++) expect(source.arrive(sent(5, n))).to.equal(true);
    expect(source.arrive(sent(5, 10))).to.equal(false);
    expect(errorOf(() => poller.resize(8)).message).to.equal('9 entries are in use');
    expect(poller.cqe).to.equal(9);
    expect(poll()).to.deep.equal([5001, 5002, 5003, 5004, 5005, 5006, 5007, 5008, 5009]);
    expect(poller.resize(1)).to.equal(1);
    for (let n = 10; n < 40; n++) {
      expect(source.arrive(sent(5, n))).to.equal(true);
      expect(source.arrive(sent(5, n + 1))).to.equal(false);
      expect(poll()).to.deep.equal([5000 + (n % 16)]);
    }
  });

  it('tells what was polled with drains and posts, and by itself only where the queue could overrun too soon', () => {
    const { source, qps, poller, poll } = setup(4);
    const { send } = addQp(qps, 5);
    let posted = 4;
    source.underWay = () => posted - send.tail;
    expect(poller.posting()).to.equal(0);
    for (let n = 0; n < 4; n++) source.arrive(sent(5, n));
    expect(poll(1)).to.deep.equal([5000]);
    expect(source.entries, 'what the drain brought for this poll has no place any more').to.equal(3);
    expect(poll(2)).to.deep.equal([5001, 5002]);
    expect(source.entries, 'nothing can come').to.equal(3);
    expect(poller.statistics).to.include({ trips: 1, updates: 0, localPolls: 1 });
    posted += 3;
    expect(poller.posting(), 'the post takes it along').to.equal(3);
    source.consume(3);
    // One more than the queue has places for: whether it overruns depends on when this is polled.
    posted++;
    expect(poller.posting()).to.equal(3);
    expect(poll(1)).to.deep.equal([5003]);
    expect([source.entries, poller.statistics.updates, poller.statistics.localPolls]).to.deep.equal([0, 1, 1]);
    for (let n = 4; n < 8; n++) expect(source.arrive(sent(5, n))).to.equal(true);
    expect(poll(2)).to.deep.equal([5004, 5005]);
    expect(poll(1)).to.deep.equal([5006]);
    expect(poller.statistics, 'it is not tight any more').to.include({ updates: 1, localPolls: 2 });
    posted += 2;
    poller.beforePost();
    expect([source.entries, poller.statistics.updates], 'three places are enough').to.deep.equal([2, 1]);
    posted += 2;
    poller.beforePost();
    expect([source.entries, poller.statistics.updates]).to.deep.equal([1, 2]);
  });

  it('a poll gives what it has taken, even when the source can not be told', () => {
    const { source, qps, poller, poll } = setup(2);
    addQp(qps, 5);
    source.underWay = () => 3;
    poller.posting();
    source.arrive(sent(5, 0));
    source.arrive(sent(5, 1));
    poll(1);
    source.consume = () => {
      throw new VerbsError({ code: 'EIO', message: 'it is gone' });
    };
    expect(poll(1)).to.deep.equal([5001]);
  });

  it('makes a trip with each poll when buffering is off, and takes no more than the poll gives', () => {
    const { source, qps, poller, poll } = setup(8, 8, { buffering: false });
    addQp(qps, 5);
    for (let n = 0; n < 5; n++) source.arrive(sent(5, n));
    expect([poll(2), poll(2), poll(2)].map((each) => each.length)).to.deep.equal([2, 2, 1]);
    expect(poller.statistics).to.include({ polls: 3, localPolls: 0, trips: 3, buffered: 0 });
  });

  it('passes errors of the source on, and believes nothing that can not be', () => {
    const { source, qps, poll } = setup(4);
    addQp(qps, 5);
    source.broken = -19;
    expect(poll()).to.deep.equal([-19]);
    source.broken = 5;
    expect(poll()).to.deep.equal([-5]);
    source.broken = 0;
    source.more = true;
    expect(poll()).to.deep.equal([-5]);
    source.broken = null;
    source.arrive(sent(5, 0));
    expect(poll()).to.deep.equal([5000]);
  });

  it('takes nothing for a limit of 0', () => {
    const { source, qps, poller, poll } = setup();
    addQp(qps, 5);
    source.arrive(sent(5, 0));
    expect(poll(0)).to.deep.equal([]);
    expect(poller.statistics.trips).to.equal(0);
  });
});

function errorOf(call: () => unknown): VerbsError {
  try {
    call();
  } catch (error) {
    if (VerbsError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
