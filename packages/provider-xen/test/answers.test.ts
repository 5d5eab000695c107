/** Where the answers of the back-end lie: in the entry of the ring, or in the bulk area. */
import { expect } from 'chai';
import { ringSize, SharedRing } from '@openverbs/hypervisor';
import { EntryWord } from '../src/channel/entry.ts';
import { Commands } from '../src/protocol/commands.ts';
import { ENTRY_ARGUMENT_WORDS, ENTRY_WORDS } from '../src/protocol/limits.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { XenMachine } from './support/xen-machine.ts';

const { OPEN_CONTEXT, ALLOC_PD, QUERY_DEVICE, CREATE_CQ, DRAIN_CQ, CONSUME_CQ } = Commands;
const CQ = { cqe: 8, compVector: 0, cookie: 1, timestamps: false, ignoreOverrun: false, extended: false, key: 0 };

describe('an answer', () => {
  let xen: XenMachine;
  let front: HostileFrontend;
  let context: number;

  beforeEach(() => {
    xen = new XenMachine();
    front = new HostileFrontend(xen, xen.addGuest('basic'));
    expect(front.connect()).to.equal(true);
    ({ context } = front.call(OPEN_CONTEXT, {}));
  });
  afterEach(() => {
    xen.close();
  });

  /** What the entry of the last answer says of it. */
  function last(): { readonly length: number; readonly bulk: number } {
    const { i32, word } = front.page(0);
    const index = (i32[word + SharedRing.RSP_PROD] - 1) & (ringSize(ENTRY_WORDS) - 1);
    const entry = word + SharedRing.ENTRIES + index * ENTRY_WORDS;
    return { length: i32[entry + EntryWord.LENGTH], bulk: i32[entry + EntryWord.BULK] };
  }

  it('that fits the entry lies there', () => {
    front.call(ALLOC_PD, { context });
    expect(last()).to.deep.equal({ length: 1, bulk: 0 });
  });

  it('that is longer than an entry lies in the bulk area, whole', () => {
    const { attr } = front.call(QUERY_DEVICE, { context });
    expect(last().bulk).to.equal(1);
    expect(last().length).to.be.above(ENTRY_ARGUMENT_WORDS);
    const [lower] = xen.dom0.backend.guests;
    expect(attr).to.deep.equal(lower.attrOf([...lower.contexts][0].lower.queryDevice()));
  });

  it('of a command that carries payload lies in the bulk area, however short', () => {
    const { cq } = front.call(CREATE_CQ, { ...CQ, context });
    expect(front.call(DRAIN_CQ, { context, cq, max: 8, consumed: 0, taken: 0 }).completions).to.deep.equal([]);
    expect(last().bulk).to.equal(1);
    expect(last().length).to.be.at.most(ENTRY_ARGUMENT_WORDS);
  });

  it('that refuses a command lies in the bulk area when its text is longer than an entry', () => {
    const { cq } = front.call(CREATE_CQ, { ...CQ, context });
    const told = `consumed is 1: CQ ${cq} has given 0, and 0 were consumed before`;
    expect(front.refusal(CONSUME_CQ, { context, cq, consumed: 1 })).to.equal(`EINVAL: ${told}`);
    expect(last().bulk).to.equal(1);
    expect(last().length).to.be.above(ENTRY_ARGUMENT_WORDS);
  });
});
