/** What a program does on its data path, one operation after the other. */
import {
  AccessFlags,
  incRkey,
  PlacementType,
  SelectivityLevel,
  SendFlags,
  WcStatus,
  WorkCompletion,
  WrOpcode,
} from 'openverbs';
import type { SendWrInit } from 'openverbs';
import { BUFFER_BYTES, BYTES, QKEY } from './ends.ts';
import type { Ends } from './ends.ts';

const { SIGNALED, INLINE } = SendFlags;
const { REMOTE_WRITE } = AccessFlags;
/** In front of a received datagram. */
const GRH_BYTES = 40;
const INLINE_BYTES = 16;
const CHAIN = 8;

/** One operation, and what it costs a guest in basic: a request for each of these. */
export interface Operation {
  readonly name: string;
  /** Calls that post. */
  readonly posts: number;
  /** Polls: each finds what it takes, or that there is nothing. */
  readonly polls: number;
  readonly arms?: number;
  /** Events that the program waits for. The interrupt is the device domain's, so they come over the event channel, in bypass too. */
  readonly events?: number;
  run(ends: Ends): void;
}

/** What `a` posts alone, and takes the completion of. */
function alone(name: string, opcode: WrOpcode, more: Partial<SendWrInit> = {}): Operation {
  const run = (ends: Ends): void => {
    ends.a.rc.postSend(ends.request(opcode, more));
    ends.a.take(1);
  };
  return { name, posts: 1, polls: 1, run };
}

/** An atomic: 8 bytes, which get the former value. */
function atomic(name: string, opcode: WrOpcode): Operation {
  const run = (ends: Ends): void => {
    const { a, b } = ends;
    const sgList = [a.mr.sge(BUFFER_BYTES - 8, 8)];
    const remoteAddr = b.mr.addr + BUFFER_BYTES - 8;
    a.rc.postSend(ends.request(opcode, { sgList, remoteAddr, compareAdd: 1n, swap: 2n }));
    a.take(1);
  };
  return { name, posts: 1, polls: 1, run };
}

/** A message, and the receive that takes it: each end has its completion. */
function message(name: string, post: (ends: Ends) => void): Operation {
  const run = (ends: Ends): void => {
    post(ends);
    ends.a.take(1);
    ends.b.take(1);
  };
  return { name, posts: 2, polls: 2, run };
}

/** `b` binds its window of type 2, for the first time or anew. */
function bind({ b }: Ends): void {
  const { window: mw, mr, rc } = b;
  const rkey = incRkey(mw.rkey);
  const bindMw = { mw, rkey, mr, addr: mr.addr, length: BYTES, access: REMOTE_WRITE };
  rc.postSend({ opcode: WrOpcode.BIND_MW, sendFlags: SIGNALED, bindMw });
  mw.rkey = rkey;
}

export const OPERATIONS: readonly Operation[] = [
  message('SEND', (ends) => {
    ends.b.rc.postRecv({ sgList: [ends.b.mr.sge(0, BYTES)] });
    ends.a.rc.postSend(ends.request(WrOpcode.SEND));
  }),
  message('SEND into an SRQ', (ends) => {
    ends.b.srq.postRecv({ sgList: [ends.b.mr.sge(0, BYTES)] });
    ends.a.shared.postSend(ends.request(WrOpcode.SEND));
  }),
  message('SEND on XRC', (ends) => {
    ends.xrcSrq.postRecv({ sgList: [ends.b.mr.sge(0, BYTES)] });
    ends.xrcSend.postSend(ends.request(WrOpcode.SEND, { remoteSrqn: ends.xrcSrq.srqNum }));
  }),
  message('SEND on UD', (ends) => {
    ends.b.ud.postRecv({ sgList: [ends.b.mr.sge(2 * BYTES - GRH_BYTES, GRH_BYTES + BYTES)] });
    const to = { ah: ends.ah, remoteQpn: ends.b.ud.qpNum, remoteQkey: QKEY };
    ends.a.ud.postSend(ends.request(WrOpcode.SEND, to));
  }),
  message('RDMA WRITE with immediate data', (ends) => {
    ends.b.rc.postRecv({ sgList: [] });
    ends.a.rc.postSend(ends.request(WrOpcode.RDMA_WRITE_WITH_IMM, { immData: 7 }));
  }),
  alone('RDMA WRITE', WrOpcode.RDMA_WRITE),
  alone('RDMA READ', WrOpcode.RDMA_READ),
  atomic('ATOMIC_CMP_AND_SWP', WrOpcode.ATOMIC_CMP_AND_SWP),
  atomic('ATOMIC_FETCH_AND_ADD', WrOpcode.ATOMIC_FETCH_AND_ADD),
  atomic('ATOMIC_WRITE', WrOpcode.ATOMIC_WRITE),
  alone('FLUSH', WrOpcode.FLUSH, {
    sgList: [],
    flushLength: BYTES,
    flushType: PlacementType.GLOBAL,
    flushLevel: SelectivityLevel.RANGE,
  }),
  {
    name: 'a chain of RDMA WRITEs, the last one signalled',
    posts: 1,
    polls: 1,
    run(ends) {
      const write = (n: number): SendWrInit =>
        ends.request(WrOpcode.RDMA_WRITE, { sendFlags: n === CHAIN - 1 ? SIGNALED : 0 });
      ends.a.rc.postSend(Array.from({ length: CHAIN }, (_, n) => write(n)));
      ends.a.take(1);
    },
  },
  {
    name: 'RDMA WRITE by the extended form',
    posts: 1,
    polls: 1,
    run({ a, b }) {
      a.rc.wrStart();
      a.rc.wrFlags = SIGNALED;
      a.rc.wrRdmaWrite(b.mr.rkey, b.mr.addr);
      a.rc.wrSetSge(a.mr.lkey, a.mr.addr, BYTES);
      a.rc.wrComplete();
      a.take(1);
    },
  },
  {
    name: 'RDMA WRITE, its completion read field by field',
    posts: 1,
    polls: 1,
    run(ends) {
      const { cqEx, rcEx } = ends.a;
      rcEx.postSend(ends.request(WrOpcode.RDMA_WRITE));
      if (!cqEx.startPoll() || cqEx.status !== WcStatus.SUCCESS) throw new Error('no completion');
      cqEx.endPoll();
    },
  },
  {
    name: 'BIND_MW and LOCAL_INV',
    posts: 2,
    polls: 2,
    run(ends) {
      const { b } = ends;
      bind(ends);
      b.take(1);
      b.rc.postSend({ opcode: WrOpcode.LOCAL_INV, sendFlags: SIGNALED, invalidateRkey: b.window.rkey });
      b.take(1);
    },
  },
  {
    name: 'BIND_MW and SEND_WITH_INV',
    posts: 3,
    polls: 3,
    run(ends) {
      const { a, b } = ends;
      bind(ends);
      b.take(1);
      b.rc.postRecv({ sgList: [] });
      a.rc.postSend(ends.request(WrOpcode.SEND_WITH_INV, { sgList: [], invalidateRkey: b.window.rkey }));
      a.take(1);
      b.take(1);
    },
  },
  {
    name: 'ibv_bind_mw',
    posts: 1,
    polls: 1,
    run({ b }) {
      const { mr, oldWindow } = b;
      b.rc.bindMw(oldWindow, { mr, addr: mr.addr, length: BYTES, access: REMOTE_WRITE, sendFlags: SIGNALED });
      b.take(1);
    },
  },
  alone('RDMA WRITE of inline data', WrOpcode.RDMA_WRITE, {
    sendFlags: SIGNALED | INLINE,
    inlineData: new Uint8Array(INLINE_BYTES),
    sgList: [],
  }),
  {
    name: 'RDMA WRITE of inline data in a buffer',
    posts: 1,
    polls: 1,
    run(ends) {
      const { a } = ends;
      const sgList = [a.mr.sge(0, INLINE_BYTES)];
      a.rc.postSend(ends.request(WrOpcode.RDMA_WRITE, { sendFlags: SIGNALED | INLINE, sgList }));
      a.take(1);
    },
  },
  {
    name: 'a poll that finds nothing',
    posts: 0,
    polls: 1,
    run({ a }) {
      if (a.cq.poll(WorkCompletion.array(1)) !== 0) throw new Error('a completion of nothing');
    },
  },
  {
    name: 'arming a CQ, and the poll after it',
    posts: 0,
    polls: 1,
    arms: 1,
    run({ a }) {
      a.cq.reqNotify(true);
      if (a.cq.poll(WorkCompletion.array(1)) !== 0) throw new Error('a completion of nothing');
    },
  },
  {
    name: 'a SEND whose completion an event tells of',
    posts: 2,
    polls: 2,
    arms: 1,
    events: 1,
    run(ends) {
      const { a, b } = ends;
      b.cq.reqNotify();
      b.rc.postRecv({ sgList: [b.mr.sge(0, BYTES)] });
      a.rc.postSend(ends.request(WrOpcode.SEND));
      if (b.channel.tryGetCqEvent() !== b.cq) throw new Error('no event');
      b.cq.ackEvents(1);
      a.take(1);
      b.take(1);
    },
  },
];
