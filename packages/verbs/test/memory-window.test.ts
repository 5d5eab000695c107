import { expect } from 'chai';
import { AccessFlags } from '../src/enums/access-flags.ts';
import { MwType } from '../src/enums/mw.ts';
import { QpState } from '../src/enums/qp.ts';
import { SendFlags, WrOpcode } from '../src/enums/wr.ts';
import { incRkey, type MwBindInfo, type MwBindInit } from '../src/memory-window.ts';
import { SendWqe } from '../src/rings/layout.ts';
import { SendWr } from '../src/send-wr.ts';
import { type Connected, openConnected } from './support/connected.ts';
import { errorOf, openFake } from './support/fake-provider.ts';

const { REMOTE_READ, REMOTE_WRITE } = AccessFlags;
const { TYPE_1, TYPE_2 } = MwType;

/** What the last WQE says of the bind. */
function lastBind({ ops }: Connected): Record<string, number> {
  const wqe = ops.device.executed.at(-1)!;
  const at = (word: keyof typeof SendWqe): number => wqe[SendWqe[word]] >>> 0;
  return {
    opcode: at('OPCODE'),
    flags: at('FLAGS'),
    mw: at('BIND_MW'),
    rkey: at('BIND_RKEY'),
    lkey: at('BIND_LKEY'),
    access: at('BIND_ACCESS'),
    addr: at('BIND_ADDR_HI') * 2 ** 32 + at('BIND_ADDR_LO'),
    length: at('BIND_LENGTH_HI') * 2 ** 32 + at('BIND_LENGTH_LO'),
  };
}

describe('a memory window', () => {
  it('of type 1 is bound to its next key, with what is left out filled in', () => {
    const connected = openConnected();
    const { pd, a, mr } = connected;
    const mw = pd.allocMw(TYPE_1);
    const { handle, rkey } = mw;
    expect(mw).to.include({ pd, type: TYPE_1, label: `MW ${handle >>> 8}` });
    a.bindMw(mw, { wrId: 3, sendFlags: SendFlags.SIGNALED, mr, access: REMOTE_READ });
    expect(mw.rkey).to.equal(rkey + 1);
    const { lkey, addr, length } = mr;
    const bound = { opcode: 8, flags: 2, mw: handle, rkey: rkey + 1, lkey, access: REMOTE_READ, addr, length };
    expect(lastBind(connected)).to.deep.equal(bound);
    a.bindMw(mw, { mr: null });
    expect(lastBind(connected)).to.include({ rkey: rkey + 2, lkey: 0, addr: 0, length: 0, access: 0 });
    a.modify({ qpState: QpState.RESET });
    expect(errorOf(() => a.bindMw(mw, { mr }))).to.include({ code: 'EINVAL', verb: 'ibv_bind_mw' });
    expect(mw.rkey).to.equal(rkey + 2);
  });

  it('of type 2 is bound by a work request, a literal, a SendWr or the extended form', () => {
    const connected = openConnected();
    const { pd, a, mr } = connected;
    const mw = pd.allocMw(TYPE_2);
    const { handle } = mw;
    const bindMw = { mw, rkey: 0xffffff07, mr, addr: 2 ** 52 + 5, length: 2 ** 33 + 7, access: REMOTE_WRITE };
    const posts: (() => void)[] = [
      () => a.postSend({ opcode: WrOpcode.BIND_MW, bindMw }),
      () => a.postSend([{ opcode: WrOpcode.BIND_MW, bindMw }]),
      () => a.postSend(new SendWr({ opcode: WrOpcode.BIND_MW, bindMw })),
      () => {
        a.wrStart();
        a.wrBindMw(mw, bindMw.rkey, bindMw);
        a.wrComplete();
      },
    ];
    const { rkey, addr, length, access } = bindMw;
    for (const post of posts) {
      post();
      const bound = { opcode: 8, flags: 0, mw: handle, rkey, lkey: mr.lkey, access, addr, length };
      expect(lastBind(connected)).to.deep.equal(bound);
      expect(mw.rkey, 'is for the application to keep').to.equal(handle);
      connected.cq.poll(connected.wcs);
      a.postSend({ opcode: WrOpcode.RDMA_WRITE, sendFlags: SendFlags.SIGNALED });
      connected.cq.poll(connected.wcs);
    }
  });

  it('is refused with what is wrong', () => {
    const { pd, a, mr } = openConnected();
    const [first, second, gone] = [pd.allocMw(TYPE_1), pd.allocMw(TYPE_2), pd.allocMw(TYPE_2)];
    const opcode = WrOpcode.BIND_MW;
    const bind = { rkey: 1, mr, addr: 0, length: 1, access: 0 };
    const wr = new SendWr({ opcode, bindMw: { ...bind, mw: gone } });
    gone.dealloc();
    const refused: [call: () => void, text: string][] = [
      [() => a.bindMw(second, { mr }), 'is of type 2'],
      [() => a.bindMw(gone, { mr }), 'already destroyed'],
      [() => a.bindMw(mr as never, { mr }), 'not a MemoryWindow'],
      [() => a.bindMw(first, { mr, sendFlags: SendFlags.INLINE }), 'bits that mean nothing'],
      [() => a.bindMw(first, { mr: second } as unknown as MwBindInit), 'not a MemoryRegion'],
      [() => a.bindMw(first, { mr: null, length: 1 }), 'mr is null'],
      [() => a.postSend({ opcode }), 'BIND_MW without bindMw'],
      [() => a.postSend({ opcode, bindMw: { ...bind, mw: first } }), 'use qp.bindMw()'],
      [() => a.postSend({ opcode, bindMw: { ...bind, mw: second }, sgList: [mr.sge()] }), 'with SGEs'],
      [() => a.postSend({ opcode, bindMw: { ...bind, mw: second }, inlineData: new Uint8Array(1) }), 'inline data'],
      [() => a.postSend(wr), 'already destroyed'],
      [() => a.postSend({ opcode, bindMw: { ...bind, mw: second, rkey: -1 } }), 'rkey is -1'],
      [() => pd.allocMw(3 as MwType), 'type is 3'],
    ];
    for (const [call, text] of refused) {
      const error = errorOf(call);
      expect(error.code, text).to.equal('EINVAL');
      expect(`${error.message} ${error.hint}`).to.contain(text);
    }
    a.wrStart();
    a.wrBindMw(second, 1, null as unknown as MwBindInfo);
    expect(errorOf(() => a.wrComplete()).message).to.contain('the bind is null');
    a.wrStart();
    a.wrBindMw(first, 1, { mr });
    const error = errorOf(() => a.wrComplete());
    expect(`${error.message} ${error.hint}`).to.contain('use qp.bindMw()');
    a.wrStart();
    a.wrBindMw(second, 1, { mr });
    a.wrSetSge(1, 2, 3);
    expect(errorOf(() => a.wrComplete()).message).to.contain('with SGEs');
    expect(
      errorOf(() =>
        openFake({ without: ['allocMw'] })
          .context.allocPd()
          .allocMw(TYPE_1),
      ).code,
    ).to.equal('EOPNOTSUPP');
  });

  it('holds its protection domain, and goes before the region that it was bound to', () => {
    const { pd, a, mr, ops } = openConnected();
    const mw = pd.allocMw(TYPE_1);
    const other = pd.allocMw(TYPE_2);
    expect(errorOf(() => pd.dealloc()).message).to.contain(mw.label);
    a.bindMw(mw, { mr });
    ops.calls.length = 0;
    mr[Symbol.dispose]();
    expect(ops.calls).to.deep.equal([`deallocMw ${mw.handle}`, `deregMr ${mr.handle}`]);
    expect(mw.destroyed).to.equal(true);
    mr[Symbol.dispose]();
    other.dealloc();
    expect(errorOf(() => other.dealloc()).verb).to.equal('ibv_dealloc_mw');
  });

  it('has a next key, whose low byte counts around', () => {
    expect([0, 0xff, 0x1234ff, 0xfffffffe, 0xffffffff].map(incRkey)).to.deep.equal([
      1, 0, 0x123400, 0xffffffff, 0xffffff00,
    ]);
    expect(errorOf(() => incRkey(-1)).verb).to.equal('ibv_inc_rkey');
  });
});
