/** Address handles (ibv_create_ah, ibv_destroy_ah), and those from a completion (ibv_init_ah_from_wc, ibv_create_ah_from_wc). */
import { expect } from 'chai';
import { QpState, WcStatus, type AhAttrInit, type WorkCompletion } from '@openverbs/verbs';
import { SendWqe } from '@openverbs/verbs/rings';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { GRH_BYTES, addressOf, ahTo, datagram, datagramPair, datagramSide } from '../bench/datagrams.ts';
import { expectError } from '../bench/errors.ts';
import type { Side } from '../bench/side.ts';
import { Tampering } from '../bench/tampering.ts';
import { defineSuite } from '../define-suite.ts';

/** A datagram from `a` to `b`: its completion, and its receive. */
async function arrival(a: Side, b: Side): Promise<{ wc: WorkCompletion; grh: Uint8Array }> {
  b.qp.postRecv({ wrId: 1, sgList: [b.sge(0, 64)] });
  a.qp.postSend(datagram(1, [a.sge(0, 8)], ahTo(a, b), b.qp));
  const [wc] = await expectCompletions(b.recvCq, { wrId: 1 });
  return { wc, grh: b.bytes };
}

export const addressHandleSuite = defineSuite('address-handle', ['ud'], (suite) => {
  suite.works('is created and destroyed, over and over, each with a handle of its own', (bench) => {
    const side = datagramSide(bench);
    const attr = addressOf(side);
    const many = Array.from({ length: 100 }, () => side.pd.createAh(attr));
    expect(new Set(many.map(({ handle }) => handle)).size).to.equal(100);
    for (const ah of many) ah.destroy();
    for (let round = 0; round < 500; round++) side.pd.createAh(attr).destroy();
  });

  suite.works('remembers what it was made of', (bench) => {
    const side = datagramSide(bench);
    const { gid, gidIndex } = side.qp.endpoint();
    const grh = { dgid: gid, sgidIndex: gidIndex, flowLabel: 7, hopLimit: 3, trafficClass: 9 };
    const { attr, pd, context } = side.pd.createAh({ grh, sl: 2 });
    expect([attr.sl, attr.isGlobal, attr.portNum, attr.grh?.flowLabel, attr.grh?.hopLimit]).to.deep.equal([
      2,
      true,
      1,
      7,
      3,
    ]);
    expect([pd, context]).to.deep.equal([side.pd, side.context]);
  });

  suite.works('as many as the device says, and no more', (bench) => {
    const side = datagramSide(bench);
    const { maxAh } = side.context.queryDevice();
    expect(maxAh, 'maxAh').to.be.greaterThan(0);
    if (maxAh > 100_000) return;
    const attr = addressOf(side);
    const made = [];
    for (let n = 0; n < maxAh; n++) made.push(side.pd.createAh(attr));
    expectError('ENOMEM', () => side.pd.createAh(attr));
    made[0].destroy();
    side.pd.createAh(attr);
  });

  suite.provokes('refuses what is no address', (bench) => {
    const side = datagramSide(bench);
    const { gidTblLen } = side.context.queryPort(1);
    const { physPortCnt } = side.context.queryDevice();
    const good = addressOf(side);
    const dgid = side.qp.endpoint().gid;
    const wrong: AhAttrInit[] = [
      { ...good, portNum: 0 },
      { ...good, portNum: physPortCnt + 1 },
      { ...good, sl: 16 },
      { ...good, dlid: 0x10000 },
      { ...good, srcPathBits: 0x80 },
      { ...good, staticRate: 256 },
      { ...good, isGlobal: true, grh: undefined as never },
      { ...good, grh: { dgid: 'not an address' } },
      { ...good, grh: { dgid, sgidIndex: gidTblLen } },
      { ...good, grh: { dgid, flowLabel: 0x100000 } },
      { ...good, grh: { dgid, hopLimit: 256 } },
      { ...good, grh: { dgid, trafficClass: -1 } },
    ];
    for (const attr of wrong) expectError('EINVAL', () => side.pd.createAh(attr));
  });

  suite.provokes('is destroyed once, holds its PD, and ends with it', (bench) => {
    const side = datagramSide(bench);
    const pd = side.context.allocPd();
    const ah = pd.createAh(addressOf(side));
    expectError('EBUSY', () => {
      pd.dealloc();
    });
    ah.destroy();
    expectError('EINVAL', () => {
      ah.destroy();
    });
    pd.createAh(addressOf(side));
    pd[Symbol.dispose]();
    expectError('EINVAL', () => pd.createAh(addressOf(side)));
  });

  suite.provokes('a datagram without one, or with one that is gone, is refused at the post', (bench) => {
    const { a, b } = datagramPair(bench);
    const ah = ahTo(a, b);
    ah.destroy();
    for (const bad of [{ ah }, { ah: null }]) {
      expectError('EINVAL', () => {
        a.qp.postSend({ ...datagram(1, [], ah, b.qp), ...bad });
      });
    }
    expectNoCompletion(a.sendCq);
  });

  suite.provokes('one of another protection domain or context is refused at the post', async (bench) => {
    const { a, b } = datagramPair(bench);
    const elsewhere = bench.open().allocPd();
    for (const pd of [a.context.allocPd(), elsewhere]) {
      const foreign = pd.createAh(addressOf(b));
      const error = expectError('EINVAL', () => {
        a.qp.postSend([datagram(1, [], ahTo(a, b), b.qp), datagram(2, [], foreign, b.qp)]);
      });
      expect(error.message).to.contain(foreign.label).and.contain(a.qp.label);
      await expectCompletions(a.sendCq, { wrId: 1 });
    }
    expect(a.qp.query().attr.qpState).to.equal(QpState.RTS);
  });

  suite.provokes('handles that are none end in SQE', ['directAccess'], async (bench) => {
    const context = bench.open();
    const tampering = new Tampering(context);
    const a = datagramSide(bench, { context });
    const b = datagramSide(bench, { device: bench.peerDevice });
    const ah = ahTo(a, b);
    const gone = ahTo(a, b);
    gone.destroy();
    const foreign = context.allocPd().createAh(addressOf(b));
    for (const handle of [0, -1, 0x7fffffff, ah.handle ^ 1, ah.handle + 256, gone.handle, foreign.handle]) {
      tampering.spoilNextSend(a.qp, { [SendWqe.REMOTE_ADDR_LO]: handle });
      a.qp.postSend(datagram(1, [], ah, b.qp));
      await expectCompletions(a.sendCq, { wrId: 1, status: WcStatus.LOC_QP_OP_ERR });
      expect(a.qp.query().attr.qpState).to.equal(QpState.SQE);
      a.qp.modify({ qpState: QpState.RTS });
    }
  });

  suite.works('one from a completion leads back to the sender', async (bench) => {
    const { a, b } = datagramPair(bench);
    const { wc, grh } = await arrival(a, b);
    const back = b.pd.createAhFromWc(wc, grh, 1);
    expect(back.attr.grh?.dgid.toString()).to.equal(a.qp.endpoint().gid);
    expect(b.context.initAhFromWc(1, wc, grh.subarray(0, GRH_BYTES))).to.deep.include({ isGlobal: true, portNum: 1 });
    a.qp.postRecv({ wrId: 5, sgList: [a.sge(0, 64)] });
    b.qp.postSend(datagram(6, [], back, a.qp, { remoteQpn: wc.srcQp }));
    const [answer] = await expectCompletions(a.recvCq, { wrId: 5, byteLen: GRH_BYTES });
    expect(answer.srcQp).to.equal(b.qp.qpNum);
    expect(await arrival(b, a)).to.have.property('grh');
  });

  suite.provokes('one from something else than a completion and its header is refused', async (bench) => {
    const { a, b } = datagramPair(bench);
    const { wc, grh } = await arrival(a, b);
    const header = grh.slice(0, GRH_BYTES);
    const other = Uint8Array.from(header);
    other[39] ^= 0xff; // another destination
    const version = Uint8Array.from(header);
    version[0] = version[20] = 0;
    const { physPortCnt } = b.context.queryDevice();
    expectError('EINVAL', () => b.pd.createAhFromWc(wc, header.subarray(1), 1));
    expectError('EINVAL', () => b.pd.createAhFromWc(wc, other, 1));
    expectError('EINVAL', () => b.pd.createAhFromWc(wc, version, 1));
    expectError('EINVAL', () => b.pd.createAhFromWc(wc, header, physPortCnt + 1));
    expectError('EINVAL', () => b.context.initAhFromWc(0, wc, header));
    expectError('EINVAL', () => b.context.initAhFromWc(1, wc, null as never));
  });
});
