import { expect } from 'chai';
import type { AddressHandle } from '../src/address-handle.ts';
import type { CompletionChannel } from '../src/completion-channel.ts';
import type { CompletionQueue } from '../src/completion-queue.ts';
import { MwType } from '../src/enums/mw.ts';
import { QpType } from '../src/enums/qp.ts';
import { SendFlags, WrOpcode } from '../src/enums/wr.ts';
import { RecvWr } from '../src/recv-wr.ts';
import { SendWqe } from '../src/rings/layout.ts';
import { SendWr, type SendWrInit } from '../src/send-wr.ts';
import { Sge } from '../src/sge.ts';
import { WorkCompletion } from '../src/work-completion.ts';
import { openConnected } from './support/connected.ts';
import { errorOf } from './support/fake-provider.ts';

const { SIGNALED, INLINE } = SendFlags;

/** What a program without types can pass. */
const as = <T>(value: unknown): T => value as T;

describe('inline data of SGEs', () => {
  for (const lengths of [
    [-4096, 60],
    [-1, 1],
    [0.5, 4],
    [NaN, 4],
    [2 ** 32, 4],
    ['5', '5'],
  ]) {
    it(`of ${JSON.stringify(lengths)} bytes is refused, and nothing is written`, () => {
      const { a, buffer, ops } = openConnected();
      buffer.bytes.fill(0xee);
      const before = Uint8Array.from(ops.device.memory.u8);
      const wr = new SendWr({ opcode: WrOpcode.SEND, sendFlags: SIGNALED | INLINE });
      for (const length of lengths) {
        const sge = new Sge(buffer.addr + 2048);
        sge.length = length as number;
        wr.sgList.push(sge);
      }
      const error = errorOf(() => a.postSend(wr));
      expect(error).to.include({ code: 'EINVAL', verb: 'ibv_post_send' });
      expect(error.message).to.contain('length of an SGE');
      const { u8 } = ops.device.memory;
      expect(u8.findIndex((byte, at) => byte !== before[at] && byte === 0xee)).to.equal(-1);
    });
  }
});

describe('a post with something in it that is no work request', () => {
  const good = { opcode: WrOpcode.RDMA_WRITE, sendFlags: SIGNALED };
  const bads: readonly [string, unknown][] = [
    ['a number', 5],
    ['nothing', undefined],
    ['a text', 'x'],
    ['a wrId that is none', { wrId: NaN }],
    ['an SGE that is none', { sgList: [null] }],
    ['a list of SGEs that is none', { sgList: 5 }],
    ['a list of SGEs of any length', { sgList: { length: 1e9 } }],
    ['a bigint in an SGE', { sgList: [{ addr: 1n, length: 1, lkey: 1 }] }],
  ];
  for (const [what, bad] of bads) {
    it(`posts what comes before ${what}`, () => {
      const { a, b, cq, wcs } = openConnected();
      const error = errorOf(() => a.postSend([good, { ...good, wrId: 1 }, as<SendWrInit>(bad), good]));
      expect(error).to.include({ code: 'EINVAL', verb: 'ibv_post_send' });
      expect(error.message).to.contain('work request 2: ');
      expect(error.details?.['badWrIndex']).to.equal(2);
      expect(cq.poll(wcs)).to.equal(2);
      const refused = errorOf(() => b.postRecv([{}, as(bad)]));
      expect(refused.details?.['badWrIndex']).to.equal(1);
      expect(errorOf(() => a.postSend(as(bad))).code).to.equal('EINVAL');
      expect(cq.poll(wcs)).to.equal(0);
    });
  }

  it('posts at once what comes before it in a chain of objects', () => {
    const { a, b, cq, wcs } = openConnected();
    const bad = new SendWr(good);
    const first = new SendWr({ ...good, next: bad });
    for (const sgList of [[null], null, [{ addr: 1n, length: 1, lkey: 1 }]]) {
      bad.sgList = as(sgList);
      const error = errorOf(() => a.postSend(first));
      expect(error).to.include({ code: 'EINVAL' });
      expect(error.details).to.deep.equal({ badWrIndex: 1 });
      expect(cq.poll(wcs)).to.equal(1);
    }
    const recv = new RecvWr();
    recv.sgList = as([null]);
    expect(errorOf(() => b.postRecv(new RecvWr({ next: recv }))).details).to.deep.equal({ badWrIndex: 1 });
  });

  it('has no SGE of an earlier lap in the extended form, and is not posted', () => {
    const { a, cq, wcs, mr, ops } = openConnected();
    for (let lap = 0; lap < 8; lap++) {
      a.postSend({ ...good, sgList: [mr.sge(0, 64)] });
      expect(cq.poll(wcs)).to.equal(1);
    }
    a.wrStart();
    a.wrSend();
    const rings = ops.device.sqRings;
    a.wrSetSgeList(as([null]));
    expect(errorOf(() => a.wrComplete()).message).to.contain('sgList[0] is null, not an SGE');
    expect(ops.device.sqRings).to.equal(rings);
  });

  it('is refused in a chain without end', () => {
    const { a, b } = openConnected({ depth: 5 });
    const wr: { opcode: number; next?: SendWrInit } = { opcode: WrOpcode.RDMA_WRITE };
    wr.next = wr;
    const ring = new SendWr(wr.opcode === undefined ? {} : { opcode: wr.opcode });
    ring.next = ring;
    const recv: { next?: object } = {};
    recv.next = recv;
    const recvRing = new RecvWr();
    recvRing.next = recvRing;
    const posts: [post: () => void, badWrIndex: number][] = [
      [() => a.postSend(wr), 0], // of literals none is posted
      [() => b.postRecv(recv), 0],
      [() => a.postSend(ring), 5],
      [() => b.postRecv(recvRing), 5],
    ];
    for (const [post, badWrIndex] of posts) {
      const error = errorOf(post);
      expect(error).to.include({ code: 'EINVAL', hint: 'end it with next: null' });
      expect(error.details).to.deep.equal({ badWrIndex });
      expect(error.message).to.contain('leads back to itself');
    }
    for (const make of [() => new SendWr({ next: wr }), () => new RecvWr({ next: recv })]) {
      expect(errorOf(make).message).to.contain('leads back to itself');
    }
    const two = { next: { next: null as object | null } };
    two.next.next = two.next; // it leads back, but not to its first
    expect(errorOf(() => a.postSend(two)).code).to.equal('EINVAL');
  });
});

describe('an object of another kind', () => {
  it('is no channel of a CQ, and leaves no CQ behind', () => {
    const { context, cq, ops } = openConnected();
    const before = ops.cqs.size;
    for (const channel of [cq, {}, 5, 'x']) {
      const error = errorOf(() => context.createCq({ cqe: 4, channel: as<CompletionChannel>(channel) }));
      expect(error).to.include({ code: 'EINVAL', verb: 'ibv_create_cq' });
      expect(error.message).to.contain('not a CompletionChannel');
    }
    expect(ops.cqs.size).to.equal(before);
  });

  it('is no CQ and no SRQ of a QP, even when it has the handle of one', () => {
    const { pd, cq, a, mr, ops } = openConnected();
    const before = ops.qps.size;
    for (const object of [a, mr, {}, 5]) {
      const sendCq = as<CompletionQueue>(object);
      const create = (init: object): string =>
        errorOf(() => pd.createQp({ sendCq: cq, recvCq: cq, qpType: QpType.RC, cap: {}, ...init })).message;
      expect(create({ sendCq })).to.contain('sendCq is');
      expect(create({ recvCq: sendCq })).to.contain('not a CompletionQueue');
      expect(create({ srq: object })).to.contain('not a SharedReceiveQueue');
    }
    expect(ops.qps.size).to.equal(before);
  });

  it('is no memory', () => {
    const { pd } = openConnected();
    for (const memory of [null, undefined, {}, 5, new ArrayBuffer(8)]) {
      expect(errorOf(() => pd.regMr(as(memory), 1))).to.include({ code: 'EINVAL', verb: 'ibv_reg_mr' });
    }
  });

  it('is no endpoint and no mask', () => {
    const { a } = openConnected();
    a.modify({ qpState: 0 });
    a.toInit();
    const { gid: _, ...endpoint } = a.endpoint();
    expect(errorOf(() => a.toRtr(as(endpoint))).message).to.contain('remote.gid is undefined, not a GID');
    for (const mask of [NaN, 0.5, -1, 2 ** 32, 'x', 1n]) {
      expect(errorOf(() => a.modify({ qpState: 1 }, as(mask))).details?.['what']).to.equal('mask');
    }
  });
});

describe('an object of another protection domain, context or device', () => {
  const { BIND_MW, SEND } = WrOpcode;
  const opcode = SEND;

  it('is no address handle of a datagram, in whatever form it is posted', () => {
    const { a, b, pd, context, cq, wcs, ops } = openConnected({ qpType: QpType.UD });
    const other = openConnected({ qpType: QpType.UD });
    const attr = { grh: { dgid: 'fe80::1' } };
    const own = pd.createAh(attr);
    ops.qps.get(a.handle)!.destQpNum = b.qpNum;
    const good = { opcode, sendFlags: SIGNALED, ah: own, remoteQpn: b.qpNum, remoteQkey: 1 };
    const foreign: [AddressHandle, string][] = [
      [other.pd.createAh(attr), `${other.pd.label} of another fake0`],
      [context.allocPd().createAh(attr), 'is of PD'],
    ];
    for (const [ah, text] of foreign) {
      const posts = [
        () => a.postSend([good, { ...good, ah }, good]),
        () => a.postSend(new SendWr({ ...good, next: new SendWr({ ...good, ah }) })),
        () => {
          a.wrStart();
          a.wrFlags = SIGNALED;
          a.wrSend();
          a.wrSetUdAddr(own, b.qpNum, 1);
          a.wrSend();
          a.wrSetUdAddr(ah, b.qpNum, 1);
          a.wrComplete();
        },
      ];
      for (const post of posts) {
        b.postRecv({});
        const error = errorOf(post);
        expect(error.code).to.equal('EINVAL');
        expect(error.details?.['badWrIndex']).to.equal(1);
        expect(error.message).to.contain(ah.label).and.contain(a.label).and.contain(text);
        cq.poll(wcs);
      }
    }
    expect(ops.device.executed.every((wqe) => wqe[SendWqe.REMOTE_ADDR_LO] === own.handle)).to.equal(true);
    for (const ah of [{}, 5, b]) {
      expect(errorOf(() => a.postSend({ ...good, ah: as(ah) })).message).to.contain('not an AddressHandle');
      const wr = new SendWr(good);
      wr.ah = as(ah);
      expect(errorOf(() => a.postSend(wr)).message).to.contain('not an AddressHandle');
    }
  });

  it('is no window and no region of a bind, in whatever form it is posted', () => {
    const { a, pd, context, mr, buffer } = openConnected();
    const other = openConnected();
    const elsewhere = context.allocPd();
    const parent = context.allocParentDomain({ pd });
    a.bindMw(parent.allocMw(MwType.TYPE_1), { mr: parent.regMr(buffer, 0x1f) });
    const regions = [other.mr, elsewhere.regMr(buffer, 0x1f)];
    for (const [at, domain] of [other.pd, elsewhere].entries()) {
      const [one, two] = [domain.allocMw(MwType.TYPE_1), domain.allocMw(MwType.TYPE_2)];
      const [ownOne, ownTwo] = [pd.allocMw(MwType.TYPE_1), pd.allocMw(MwType.TYPE_2)];
      const bind = { rkey: 1, addr: mr.addr, length: 8, access: 0 };
      const foreign: [call: () => void, label: string][] = [
        [() => a.bindMw(one, { mr }), one.label],
        [() => a.bindMw(ownOne, { mr: regions[at] }), regions[at].label],
        [() => a.postSend({ opcode: BIND_MW, bindMw: { ...bind, mw: two, mr } }), two.label],
        [() => a.postSend({ opcode: BIND_MW, bindMw: { ...bind, mw: ownTwo, mr: regions[at] } }), regions[at].label],
        [
          () => {
            a.wrStart();
            a.wrBindMw(two, 1, { mr });
            a.wrComplete();
          },
          two.label,
        ],
      ];
      for (const [call, label] of foreign) {
        const error = errorOf(call);
        expect(error.code).to.equal('EINVAL');
        expect(error.message).to.contain(`${label} is of PD`).and.contain(`${a.label} of PD ${pd.handle}`);
      }
      expect([ownOne.region, one.region, one.rkey]).to.deep.equal([null, null, one.handle]);
    }
  });
});

describe('a poll', () => {
  it('into something else than an array of completions is refused, whether there is one or not', () => {
    const { a, cq } = openConnected();
    const [wc] = WorkCompletion.array(1);
    const bads: [wcs: unknown, text: string][] = [
      [wc, 'not an array'],
      [undefined, 'wcs is undefined'],
      [null, 'wcs is null'],
      [5, 'wcs is 5'],
      ['x', 'not an array'],
      [{ length: 4 }, 'not an array'],
      [[undefined], 'wcs[0] is undefined'],
      [[{}], 'wcs[0] is an object (Object), not a WorkCompletion'],
      [[null, wc], 'wcs[0] is null'],
      [[wc, {}], 'wcs[1] is an object (Object)'],
    ];
    for (const posted of [false, true]) {
      if (posted) a.postSend({ wrId: 7, opcode: WrOpcode.RDMA_WRITE, sendFlags: SIGNALED });
      for (const [wcs, text] of bads) {
        for (const limit of text === 'not an array' ? [undefined, 1] : [undefined]) {
          const error = errorOf(() => cq.poll(as(wcs), limit));
          expect(error).to.include({ code: 'EINVAL', verb: 'ibv_poll_cq' });
          expect(error.message).to.contain(text);
        }
      }
    }
    expect(cq.poll([wc])).to.equal(1);
    expect(wc.wrId).to.equal(7);
  });

  it('fills completions up to what is none, which takes none', () => {
    const { a, cq } = openConnected();
    const [one, three] = WorkCompletion.array(2);
    a.postSend([1, 2].map((wrId) => ({ wrId, opcode: WrOpcode.RDMA_WRITE, sendFlags: SIGNALED })));
    const other = {};
    expect([cq.poll(as([one, other, three])), one.wrId, other]).to.deep.equal([1, 1, {}]);
    expect([cq.poll([one]), one.wrId]).to.deep.equal([1, 2]);
  });

  it('has no array of an odd number of completions', () => {
    for (const n of [-1, undefined, NaN, '3', 1.5]) {
      expect(errorOf(() => WorkCompletion.array(as(n)))).to.include({ code: 'EINVAL', verb: 'WorkCompletion.array' });
    }
    expect(WorkCompletion.array(0)).to.deep.equal([]);
  });

  it('of an odd number of completions, or of more than there is room for, is refused', () => {
    const { a, cq, wcs } = openConnected();
    for (const limit of [-1, NaN, 'x', null, wcs.length + 1, Infinity, 2n ** 60n]) {
      const error = errorOf(() => cq.poll(wcs, as(limit)));
      expect(error).to.include({ code: 'EINVAL', verb: 'ibv_poll_cq' });
      expect(error.message).to.contain('limit is');
    }
    a.postSend([1, 2].map((wrId) => ({ wrId, opcode: WrOpcode.RDMA_WRITE, sendFlags: SIGNALED })));
    expect([cq.poll(wcs, 0), cq.poll([]), cq.poll(wcs, 1), cq.poll(wcs, wcs.length)]).to.deep.equal([0, 0, 1, 1]);
  });
});

describe('an error about a value of the wrong kind', () => {
  it('names the kind, and what there is to choose from', () => {
    const { a, context, pd, buffer } = openConnected();
    const opcode = errorOf(() => a.postSend({ opcode: as('SEND') }));
    expect(opcode.message).to.contain('opcode is "SEND", which is none');
    expect(opcode.hint).to.match(/^it is a number, the value of one of .*SEND_WITH_IMM/);
    expect(errorOf(() => a.postSend({ opcode: 99 })).hint).not.to.contain('it is a number');
    const half = errorOf(() => context.allocBuf(4096.5)).message;
    expect(half).to.contain('length is 4096.5, not a whole number of 1 to');
    const flags = errorOf(() => a.postSend({ sendFlags: as('SIGNALED') }));
    expect(flags.message).to.contain('sendFlags is "SIGNALED", not a number');
    expect(flags.hint).to.contain('SIGNALED');
    expect(errorOf(() => context.allocBuf(as('4096'))).message).to.contain('is "4096", not a number');
    expect(errorOf(() => pd.regMr(buffer, as('REMOTE_WRITE'))).message).to.contain('not a number');
  });

  it('holds plain data, and no object that lives', () => {
    const { a, pd, cq } = openConnected();
    const cap = { maxSendWr: 1, maxRecvWr: 1, maxSendSge: 1, maxRecvSge: 1 };
    const errors = [
      errorOf(() => pd.createQp({ qpType: QpType.RC, cap, sendCq: as(a), recvCq: cq })),
      errorOf(() => pd.createQp({ qpType: as(a), cap, sendCq: cq, recvCq: cq })),
      errorOf(() => pd.createQp({ qpType: QpType.RC, cap: { ...cap, maxSendWr: as(5n) }, sendCq: cq, recvCq: cq })),
    ];
    for (const { code, details } of errors) {
      expect(code).to.equal('EINVAL');
      expect(details).to.have.property('value').that.is.a('string');
      expect(JSON.parse(JSON.stringify(details))).to.deep.equal(details);
    }
    expect(errors[0].details?.['value']).to.equal('an object (QueuePair)');
  });
});
