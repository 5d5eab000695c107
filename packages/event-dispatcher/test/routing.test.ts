import { EventType } from '@openverbs/verbs';
import { COMPLETION_EVENT } from '@openverbs/verbs/driver';
import type { EventElement, EventRouting, EventTarget } from '@openverbs/verbs/driver';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';

import { EventDispatcher } from '../src/index.ts';
import { EVENTS_PER_DISPATCH } from '../src/routing.ts';
import { FakeSource } from './fake-source.ts';
import { uncaughtExceptions } from './uncaught.ts';

const ELEMENTS: readonly EventElement[] = ['cq', 'qp', 'srq', 'port', 'device'];

function logInto(log: string[], name: string): EventTarget {
  return { deliver: (type) => log.push(`${name}:${type}`) };
}

describe('event routing', () => {
  let source: FakeSource;
  let routing: EventRouting;
  let log: string[];

  beforeEach(() => {
    source = new FakeSource();
    routing = new EventDispatcher().attach(source);
    log = [];
  });

  it('hands each type of event to the kind of object that it is about', () => {
    for (const element of ELEMENTS) routing.add(element, 3, logInto(log, element));
    const types = Object.values(EventType).filter((type) => type !== EventType.WQ_FATAL);
    for (const type of [COMPLETION_EVENT, ...types]) source.interrupt({ type, id: 3 });
    expect(log.join(' ')).to.equal(
      'cq:-1 cq:0 qp:1 qp:2 qp:3 qp:4 qp:5 qp:6 qp:7 device:8 port:9 port:10 port:11 port:12 port:13 srq:14 srq:15 qp:16 ' +
        'port:17 port:18 device:20',
    );
    expect(routing.dropped).to.equal(0);
  });

  it('tells objects of one kind apart by their number, and keeps the order', () => {
    routing.add('cq', 1, logInto(log, 'one'));
    routing.add('cq', 0x7fffffff, logInto(log, 'last'));
    source.interrupt({ type: -1, id: 0x7fffffff }, { type: -1, id: 1 }, { type: 0, id: 0x7fffffff });
    expect(log).to.deep.equal(['last:-1', 'one:-1', 'last:0']);
  });

  it('has one event object filled again and again', () => {
    routing.add('cq', 1, logInto(log, 'cq'));
    for (let i = 0; i < 100; i++) source.interrupt({ type: -1, id: 1 });
    expect(log).to.have.length(100);
    expect(source.filled.size).to.equal(1);
  });

  it('drops and counts events that find no object', () => {
    routing.add('qp', 1, logInto(log, 'qp'));
    source.interrupt({ type: -1, id: 1 }, { type: EventType.QP_FATAL, id: 2 }, { type: EventType.QP_FATAL, id: 1 });
    expect(log).to.deep.equal(['qp:1']);
    expect(routing.dropped).to.equal(2);
  });

  it('drops events that are queued for an object when it goes, so that its successor does not get them', () => {
    routing.add('cq', 1, logInto(log, 'first'));
    routing.add('cq', 2, logInto(log, 'other'));
    source.queue.push({ type: -1, id: 1 }, { type: -1, id: 2 }, { type: 0, id: 1 });
    routing.remove('cq', 1);
    routing.add('cq', 1, logInto(log, 'second'));
    source.interrupt({ type: -1, id: 1 });
    expect(log).to.deep.equal(['other:-1', 'second:-1']);
    expect(routing.dropped).to.equal(2);
  });

  it('lets an object remove itself while events are delivered', () => {
    routing.add('cq', 1, {
      deliver: (type) => {
        log.push(`one:${type}`);
        routing.remove('cq', 1);
      },
    });
    routing.add('cq', 2, logInto(log, 'two'));
    source.interrupt({ type: -1, id: 1 }, { type: -1, id: 2 }, { type: 0, id: 1 }, { type: 0, id: 2 });
    expect(log).to.deep.equal(['one:-1', 'two:-1', 'two:0']);
    expect(routing.dropped).to.equal(1);
  });

  it('lets an object remove another one that has an event queued', () => {
    routing.add('cq', 1, { deliver: () => routing.remove('cq', 2) });
    routing.add('cq', 2, logInto(log, 'two'));
    source.interrupt({ type: -1, id: 1 }, { type: -1, id: 2 });
    expect(log).to.deep.equal([]);
    expect(routing.dropped).to.equal(1);
  });

  it('delivers without an interrupt when asked', () => {
    routing.add('port', 1, logInto(log, 'port'));
    source.queue.push({ type: EventType.PORT_ERR, id: 1 });
    routing.dispatch();
    expect(log).to.deep.equal([`port:${EventType.PORT_ERR}`]);
  });

  it('delivers events that come without end a part at a time, and the rest in turns of the event loop', async () => {
    let left = 3 * EVENTS_PER_DISPATCH;
    let delivered = 0;
    source.next = (event) => {
      Object.assign(event, { type: -1, id: 1 });
      return left-- > 0;
    };
    routing.add('cq', 1, { deliver: () => delivered++ });
    source.interrupt();
    expect(delivered).to.equal(EVENTS_PER_DISPATCH);
    routing.remove('cq', 2);
    expect(delivered).to.equal(2 * EVENTS_PER_DISPATCH);
    for (let turn = 0; delivered < 3 * EVENTS_PER_DISPATCH; turn++) {
      expect(turn).to.be.below(10);
      await setImmediate();
    }
    expect(left).to.be.below(1);
  });

  it('goes on after an object that throws, and reports the exception as uncaught', async () => {
    const failure = new Error('a broken object');
    routing.add('cq', 1, {
      deliver: () => {
        throw failure;
      },
    });
    routing.add('cq', 2, logInto(log, 'two'));
    const reported = uncaughtExceptions();
    source.interrupt({ type: -1, id: 1 }, { type: -1, id: 2 });
    expect(log).to.deep.equal(['two:-1']);
    expect(await reported.next()).to.equal(failure);
    reported.stop();
  });

  it('passes hold and release on', () => {
    routing.hold();
    routing.hold();
    routing.release();
    expect(source.holds).to.equal(1);
  });

  it('releases what is held when it is detached, once', () => {
    routing.hold();
    routing.hold();
    routing.detach();
    expect(source.holds).to.equal(0);
    routing.release();
    routing.hold();
    expect(source.holds).to.equal(0);
  });

  it('takes nothing more once detached', () => {
    routing.add('cq', 1, logInto(log, 'cq'));
    source.queue.push({ type: -1, id: 1 });
    routing.detach();
    routing.detach();
    routing.dispatch();
    source.interrupt({ type: -1, id: 1 });
    expect(log).to.deep.equal([]);
    expect(source.queue).to.have.length(2);
  });

  it('keeps the contexts of one dispatcher apart', () => {
    const dispatcher = new EventDispatcher();
    const sources = [new FakeSource(), new FakeSource()];
    for (const [index, each] of sources.entries())
      dispatcher.attach(each).add('cq', 1, logInto(log, `context ${index}`));
    sources[1].interrupt({ type: -1, id: 1 });
    sources[0].interrupt({ type: -1, id: 1 });
    expect(log).to.deep.equal(['context 1:-1', 'context 0:-1']);
  });
});
