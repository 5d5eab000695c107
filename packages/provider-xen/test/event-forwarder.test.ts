/** Events of a guest's lower contexts, as entries of its event ring. */
import { expect } from 'chai';
import type { AsyncEvent } from '@openverbs/verbs';
import { COMPLETION_EVENT } from '@openverbs/verbs/driver';
import { EventForwarder } from '../src/backend/event-forwarder.ts';
import type { Guest } from '../src/backend/guest.ts';
import { Account } from '../src/backend/accounting.ts';
import type { EventRingProducer } from '../src/channel/event-ring.ts';
import { EventElementCode } from '../src/protocol/events.ts';

const CONTEXT = 9;
const TYPE = 5;

/** What the guest is told of events of a context, in which the objects have cookies. */
function entriesOf(
  events: readonly object[],
  cookies: ReadonlyMap<object, number>,
  qps = new Map<number, object>(),
  completions: readonly object[] = [],
): number[][] {
  const raised = [...events] as AsyncEvent[];
  const complete = [...completions];
  const entries: number[][] = [];
  const lower = {
    routing: { dispatch: () => undefined },
    tryGetAsyncEvent: () => raised.shift() ?? null,
    ackAsyncEvent: () => undefined,
  };
  const contexts = [
    {
      handle: CONTEXT,
      lower,
      channel: { tryGetCqEvent: () => complete.shift() ?? null },
      cookies,
      qps: { find: (of: number) => qps.get(of) },
    },
  ];
  const counts = new Float64Array(Account.DOUBLES);
  const ring = { put: (entry: Record<number, number>) => entries.push(Object.values(entry)) > 0 };
  new EventForwarder({ contexts, counts } as unknown as Guest, ring as unknown as EventRingProducer).run();
  expect(counts[Account.EVENTS]).to.equal(entries.length);
  return entries;
}

describe('an event of a guest', () => {
  it('of a device or a port names no object of the guest', () => {
    const device = { element: 'device', type: TYPE };
    const port = { element: 'port', type: TYPE, port: 2 };
    expect(entriesOf([device, port], new Map())).to.deep.equal([
      [EventElementCode.device, TYPE, 0, CONTEXT, 0, 0],
      [EventElementCode.port, TYPE, 2, CONTEXT, 0, 0],
    ]);
  });

  it('of a CQ, a QP or an SRQ names it as the front-end does', () => {
    const [cq, qp, srq] = [1, 2, 3].map((handle) => ({ handle }));
    const cookies = new Map([
      [cq, 71],
      [qp, 72],
      [srq, 73],
    ]);
    const events = [
      { element: 'cq', type: TYPE, cq },
      { element: 'qp', type: TYPE, qp },
      { element: 'srq', type: TYPE, srq },
    ];
    const told = entriesOf(events, cookies);
    expect(told.map(([element, , id]) => [element, id])).to.deep.equal([
      [EventElementCode.cq, 71],
      [EventElementCode.qp, 72],
      [EventElementCode.srq, 73],
    ]);
  });

  it('of a QP tells its state, and how often it was modified by then', () => {
    const qp = { handle: 2 };
    const owned = { qp: { state: 6 }, modifies: 41 };
    const [entry] = entriesOf([{ element: 'qp', type: TYPE, qp }], new Map([[qp, 72]]), new Map([[2, owned]]));
    expect(entry).to.deep.equal([EventElementCode.qp, TYPE, 72, CONTEXT, 6, 41]);
  });

  it('of completions names the CQ, which is told that it was taken', () => {
    const acked: number[] = [];
    const cq = { ackEvents: (count: number) => acked.push(count) };
    expect(entriesOf([], new Map([[cq, 71]]), new Map(), [cq, cq])).to.deep.equal([
      [EventElementCode.cq, COMPLETION_EVENT, 71, CONTEXT, 0, 0],
      [EventElementCode.cq, COMPLETION_EVENT, 71, CONTEXT, 0, 0],
    ]);
    expect(acked).to.deep.equal([1, 1]);
  });

  it('of an object that has ended is told to nobody', () => {
    expect(entriesOf([{ element: 'cq', type: TYPE, cq: {} }], new Map())).to.deep.equal([]);
  });
});
