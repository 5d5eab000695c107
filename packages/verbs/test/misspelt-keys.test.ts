/** Keys that nobody knows were left out in silence: a queue had no room, a work request no wrId. */
import { expect } from 'chai';
import { connectPair } from '../src/connect-pair.ts';
import { MwType } from '../src/enums/mw.ts';
import { QpType } from '../src/enums/qp.ts';
import { SendFlags, WrOpcode } from '../src/enums/wr.ts';
import { nearestKey } from '../src/literal-keys.ts';
import { RecvWr } from '../src/recv-wr.ts';
import { SendWr } from '../src/send-wr.ts';
import { type Connected, openConnected } from './support/connected.ts';
import { errorOf } from './support/fake-provider.ts';

/** What a program without types can pass. */
const as = <T>(value: unknown): T => value as T;

const grh = { dgid: 'fe80::1' };

/** A call with one misspelt key, the verb that refuses it, and the key that was meant. */
const misspelt: readonly [verb: string, key: string, meant: string, call: (on: Connected) => unknown][] = [
  ['ibv_create_cq', 'cq_context', 'cqContext', ({ context }) => context.createCq(as({ cqe: 4, cq_context: 1 }))],
  ['ibv_create_cq_ex', 'wc_flags', 'wcFlags', ({ context }) => context.createCqEx(as({ cqe: 4, wc_flags: 1 }))],
  ['ibv_create_qp', 'qp_type', 'qpType', ({ pd, cq }) => pd.createQp(as({ sendCq: cq, recvCq: cq, qp_type: 2 }))],
  [
    'ibv_create_qp',
    'max_send_wr',
    'maxSendWr',
    ({ pd, cq }) => pd.createQp({ sendCq: cq, recvCq: cq, qpType: QpType.RC, cap: as({ max_send_wr: 1 }) }),
  ],
  ['ibv_create_srq', 'attrs', 'attr', ({ pd }) => pd.createSrq(as({ attrs: { maxWr: 1 } }))],
  ['ibv_create_srq', 'max_wr', 'maxWr', ({ pd }) => pd.createSrq({ attr: as({ max_wr: 1 }) })],
  [
    'ibv_modify_srq',
    'srq_limit',
    'srqLimit',
    ({ pd }) => pd.createSrq({ attr: { maxWr: 4 } }).modify(as({ srq_limit: 1 })),
  ],
  ['ibv_create_ah', 'port_num', 'portNum', ({ pd }) => pd.createAh(as({ grh, port_num: 2 }))],
  ['ibv_create_ah', 'gid', 'dgid', ({ pd }) => pd.createAh({ grh: as({ gid: 'fe80::1' }) })],
  ['ibv_modify_qp', 'accessFlags', 'qpAccessFlags', ({ a }) => a.modify(as({ accessFlags: 1 }))],
  [
    'ibv_modify_qp',
    'dlidd',
    'dlid',
    ({ a }) => (a.modify({ qpState: 0 }), a.toInit(), a.toRtr(a.endpoint(), { ahAttr: as({ grh, dlidd: 1 }) })),
  ],
  ['ibv_modify_qp', 'access', 'accessFlags', ({ a }) => a.toInit(as({ access: 1 }))],
  ['ibv_query_gid', 'gid_index', 'gidIndex', ({ a }) => a.endpoint(as({ gid_index: 1 }))],
  ['ibv_modify_cq', 'moderation', 'moderate', ({ cq }) => cq.modify(as({ moderation: {} }))],
  ['ibv_modify_cq', 'cq_count', 'cqCount', ({ cq }) => cq.modify({ moderate: as({ cq_count: 1, cqPeriod: 1 }) })],
  ['ibv_alloc_buf', 'align', 'alignment', ({ context }) => context.allocBuf(1, as({ align: 64 }))],
  ['ibv_rereg_mr', 'acess', 'access', ({ mr }) => mr.rereg(as({ acess: 1 }))],
  ['ibv_alloc_parent_domain', 'tdd', 'td', ({ context, pd }) => context.allocParentDomain(as({ pd, tdd: null }))],
  ['ibv_bind_mw', 'wr_id', 'wrId', ({ a, pd, mr }) => a.bindMw(pd.allocMw(MwType.TYPE_1), as({ mr, wr_id: 1 }))],
  ['ibv_get_async_event', 'signals', 'signal', ({ context }) => context.getAsyncEvent(as({ signals: 1 }))],
  ['connectPair', 'rtrs', 'rtr', ({ a, b }) => connectPair(a, b, as({ rtrs: {} }))],
  ['ibv_post_send', 'wr_id', 'wrId', ({ a }) => a.postSend(as({ wr_id: 7 }))],
  ['ibv_post_send', 'send_flags', 'sendFlags', ({ a }) => a.postSend([{ opcode: 0 }, as({ send_flags: 2 })])],
  ['ibv_post_send', 'sge', 'sgList', ({ a }) => a.postSend(as({ sge: [] }))],
  ['ibv_post_recv', 'sg_list', 'sgList', ({ b }) => b.postRecv(as({ sg_list: [] }))],
  ['SendWr', 'remote_addr', 'remoteAddr', () => new SendWr(as({ remote_addr: 1 }))],
  ['RecvWr', 'wrid', 'wrId', () => new RecvWr(as({ wrid: 1 }))],
];

describe('a misspelt key', () => {
  for (const [verb, key, meant, call] of misspelt) {
    it(`of ${verb} is refused: ${key}, and not ${meant}`, () => {
      const error = errorOf(() => call(openConnected()));
      expect(error).to.include({ code: 'EINVAL', verb });
      expect(error.message).to.contain(`has no key '${key}'`);
      // "sge" is too far from "sgList" for a guess; the list of keys is there all the same.
      expect(error.hint).to.contain(meant);
      if (nearestKey(key, [meant]) !== undefined) expect(error.message).to.contain(`did you mean '${meant}'?`);
    });
  }

  it('that is undefined is left out, and an object that inherits what is wanted is taken', async () => {
    const { context, a } = openConnected();
    context.createCq(as({ cqe: 4, depth: undefined }));
    a.postSend(as(Object.create({ wrId: 5, opcode: WrOpcode.RDMA_WRITE })));
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const waited = await context.getAsyncEvent(controller).catch((error: unknown) => error);
    expect(waited).to.have.property('message', 'enough');
  });
});

describe('a field of a work request that is none', () => {
  const { SIGNALED } = SendFlags;
  const bads: readonly (readonly [field: 'sendFlags' | 'opcode' | 'wrId', values: readonly unknown[]])[] = [
    ['sendFlags', ['x', NaN, 0x20, -1, 1.5, 2 ** 32, null, 2n]],
    ['opcode', ['x', NaN, 31, -1, 1.5, 99, null]],
    ['wrId', ['x', NaN, -1, undefined, 2n]],
  ];
  for (const [field, value] of bads.flatMap(([name, values]) => values.map((each) => [name, each] as const))) {
    it(`is refused at the post, and named: ${field} of ${String(value)}`, () => {
      const { a, b, cq, wcs } = openConnected();
      const bad = new SendWr({ sendFlags: SIGNALED, opcode: WrOpcode.RDMA_WRITE });
      Object.assign(bad, { [field]: value });
      const first = new SendWr({ sendFlags: SIGNALED, opcode: WrOpcode.RDMA_WRITE });
      first.next = bad;
      const posts = [
        () => a.postSend(first),
        () => a.postSend([first, bad].map((wr) => Object.assign(wr, { next: null }))),
      ];
      for (const post of posts) {
        const error = errorOf(post);
        expect(error).to.include({ code: 'EINVAL', verb: 'ibv_post_send' });
        expect(error.details?.['badWrIndex']).to.equal(1);
        expect(error.message).to.contain(field);
        expect(cq.poll(wcs)).to.equal(1);
      }
      if (value !== undefined) {
        expect(errorOf(() => a.postSend({ opcode: WrOpcode.RDMA_WRITE, [field]: value })).message).to.contain(field);
      }
      if (field === 'opcode') return;
      a.wrStart();
      if (field === 'wrId') a.wrId = as(value);
      else a.wrFlags = as(value);
      a.wrSend();
      expect(errorOf(() => a.wrComplete()).message).to.contain(field === 'wrId' ? 'wrId' : 'wrFlags');
      if (field !== 'wrId') return;
      const recv = new RecvWr();
      recv.wrId = as(value);
      expect(errorOf(() => b.postRecv(new RecvWr({ next: recv }))).message).to.contain('work request 1: wrId is');
    });
  }
});
