/** Multicast: what is sent to a group reaches every QP that is attached to it, on every port of the link (IBTA 10.5). */
import { expect } from 'chai';
import {
  Gid,
  QpState,
  QpType,
  WcFlags,
  WcStatus,
  WrOpcode,
  type AddressHandle,
  type SendWrInit,
} from '@openverbs/verbs';
import type { Bench } from '../bench/bench.ts';
import { expectCompletions, expectNoCompletion } from '../bench/completions.ts';
import { GRH_BYTES, QKEY, bringDatagramsTo, datagramSide } from '../bench/datagrams.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { send } from '../bench/requests.ts';
import type { Side } from '../bench/side.ts';
import { defineSuite } from '../define-suite.ts';

const GROUP = Gid.parse('ff12:401b:ffff::1');
const OTHER_GROUP = Gid.parse('ff12:401b:ffff::2');
const MULTICAST_QPN = 0xffffff;

/** The way from a side to a group. */
function ahToGroup(side: Side, dgid = GROUP): AddressHandle {
  return side.pd.createAh({ grh: { dgid, sgidIndex: side.qp.endpoint().gidIndex } });
}

/** A datagram to all of a group. */
function toGroup(wrId: number, from: Side, length = 8, extras: Partial<SendWrInit> = {}): SendWrInit {
  const ah = extras.ah ?? ahToGroup(from);
  return send(wrId, [from.sge(0, length)], { ah, remoteQpn: MULTICAST_QPN, remoteQkey: QKEY, ...extras });
}

/** A side that is attached, with receives posted. */
function member(bench: Bench, device = bench.device, group = GROUP): Side {
  const side = datagramSide(bench, { device });
  side.qp.attachMcast(group);
  side.qp.postRecv([1, 2, 3].map((wrId) => ({ wrId, sgList: [side.sge(4096 * wrId - 4096, GRH_BYTES + 64)] })));
  return side;
}

export const multicastSuite = defineSuite('multicast', ['ud', 'multicast'], (suite) => {
  suite.works('reaches all that are attached, on all devices, and nobody else', async (bench) => {
    const sender = datagramSide(bench);
    const members = [member(bench), member(bench), member(bench, bench.peerDevice), member(bench, bench.peerDevice)];
    const others = [member(bench, bench.peerDevice, OTHER_GROUP), datagramSide(bench)];
    sender.qp.postRecv({ wrId: 9, sgList: [sender.sge(4096, 200)] });
    fillPattern(sender.bytes, 1);
    sender.qp.postSend(toGroup(5, sender, 60, { opcode: WrOpcode.SEND_WITH_IMM, immData: 77 }));
    await expectCompletions(sender.sendCq, { wrId: 5 });
    for (const { recvCq, bytes, qp } of members) {
      const [wc] = await expectCompletions(recvCq, { wrId: 1, byteLen: GRH_BYTES + 60, immData: 77, qp });
      expect([wc.srcQp, wc.wcFlags]).to.deep.equal([sender.qp.qpNum, WcFlags.GRH | WcFlags.WITH_IMM]);
      expectBytes(bytes.subarray(GRH_BYTES, GRH_BYTES + 60), pattern(1, 60), 'message');
      expect(new Gid(bytes.subarray(24, 40)).equals(GROUP), 'destination in the header').to.equal(true);
      expectNoCompletion(recvCq);
    }
    for (const { recvCq } of [...others, sender]) expectNoCompletion(recvCq);
  });

  suite.works('the sender itself is one of them if it is attached', async (bench) => {
    const sender = member(bench);
    const other = member(bench);
    for (let wrId = 1; wrId <= 3; wrId++) sender.qp.postSend(toGroup(10 + wrId, sender));
    await expectCompletions(sender.sendCq, { wrId: 11 }, { wrId: 12 }, { wrId: 13 });
    for (const { recvCq } of [sender, other]) await expectCompletions(recvCq, { wrId: 1 }, { wrId: 2 }, { wrId: 3 });
  });

  suite.works('to nobody is as good as to somebody', async (bench) => {
    const sender = datagramSide(bench);
    sender.qp.postSend(toGroup(1, sender));
    await expectCompletions(sender.sendCq, { wrId: 1 });
  });

  suite.works('attaching twice counts once, and detaching ends it', async (bench) => {
    const sender = datagramSide(bench);
    const side = member(bench);
    side.qp.attachMcast(GROUP);
    sender.qp.postSend(toGroup(1, sender));
    await expectCompletions(side.recvCq, { wrId: 1 });
    expectNoCompletion(side.recvCq);
    side.qp.detachMcast(GROUP);
    sender.qp.postSend(toGroup(2, sender));
    await expectCompletions(sender.sendCq, { wrId: 1 }, { wrId: 2 });
    expectNoCompletion(side.recvCq);
    expectError('EINVAL', () => {
      side.qp.detachMcast(GROUP);
    });
  });

  suite.works('a QP takes part in several groups', async (bench) => {
    const sender = datagramSide(bench);
    const side = member(bench);
    side.qp.attachMcast(OTHER_GROUP);
    sender.qp.postSend([toGroup(1, sender), toGroup(2, sender, 9, { ah: ahToGroup(sender, OTHER_GROUP) })]);
    await expectCompletions(side.recvCq, { wrId: 1, byteLen: GRH_BYTES + 8 }, { wrId: 2, byteLen: GRH_BYTES + 9 });
  });

  suite.works('groups of IPv4 are groups', async (bench) => {
    const sender = datagramSide(bench);
    const group = Gid.parse('239.1.2.3');
    const side = member(bench, bench.peerDevice, group);
    sender.qp.postSend(toGroup(1, sender, 8, { ah: ahToGroup(sender, group) }));
    await expectCompletions(side.recvCq, { wrId: 1, byteLen: GRH_BYTES + 8 });
  });

  suite.provokes(
    'members without a receive, with another Q_Key, or not ready get nothing, the others do',
    async (bench) => {
      const sender = datagramSide(bench);
      const good = member(bench);
      const bare = datagramSide(bench);
      const foreign = datagramSide(bench, {}, { qkey: 5 });
      const idle = bench.side({ qpType: QpType.UD });
      bringDatagramsTo(QpState.INIT, idle.qp);
      for (const { qp } of [bare, foreign, idle]) qp.attachMcast(GROUP);
      for (const { qp } of [foreign, idle]) qp.postRecv({ wrId: 7 });
      const violations = foreign.context.queryPort(1).qkeyViolCntr;
      sender.qp.postSend(toGroup(1, sender));
      await expectCompletions(good.recvCq, { wrId: 1 });
      await expectCompletions(sender.sendCq, { wrId: 1 });
      for (const { recvCq } of [bare, foreign, idle]) expectNoCompletion(recvCq);
      expect(foreign.context.queryPort(1).qkeyViolCntr - violations, 'violations').to.equal(1);
    },
  );

  suite.provokes('a member whose receive is bad goes to ERR alone', async (bench) => {
    const sender = datagramSide(bench);
    const bad = datagramSide(bench);
    bad.qp.attachMcast(GROUP);
    bad.qp.postRecv([{ wrId: 1, sgList: [{ ...bad.sge(0, 64), lkey: 1 }] }, { wrId: 2 }]);
    const good = member(bench);
    sender.qp.postSend(toGroup(1, sender));
    await expectCompletions(
      bad.recvCq,
      { wrId: 1, status: WcStatus.LOC_PROT_ERR },
      { wrId: 2, status: WcStatus.WR_FLUSH_ERR },
    );
    await expectCompletions(good.recvCq, { wrId: 1 });
    await expectCompletions(sender.sendCq, { wrId: 1 });
    expect(sender.qp.query().attr.qpState).to.equal(QpState.RTS);
  });

  suite.provokes('a group’s address with a QP’s number reaches nobody, nor does the reverse', async (bench) => {
    const sender = datagramSide(bench);
    const side = member(bench);
    const direct = sender.pd.createAh({ grh: { dgid: side.qp.endpoint().gid } });
    sender.qp.postSend([toGroup(1, sender, 8, { remoteQpn: side.qp.qpNum }), toGroup(2, sender, 8, { ah: direct })]);
    await expectCompletions(sender.sendCq, { wrId: 1 }, { wrId: 2 });
    expectNoCompletion(side.recvCq);
  });

  suite.provokes('a QP that is attached is not destroyed, but disposed', async (bench) => {
    const sender = datagramSide(bench);
    const side = member(bench);
    const error = expectError('EBUSY', () => {
      side.qp.destroy();
    });
    expect(error.message).to.contain(GROUP.toString());
    side.qp[Symbol.dispose]();
    sender.qp.postSend(toGroup(1, sender));
    await expectCompletions(sender.sendCq, { wrId: 1 });
    expectNoCompletion(side.recvCq);
    const again = member(bench);
    again.qp.detachMcast(GROUP);
    again.qp.destroy();
    expectError('EINVAL', () => {
      again.qp.attachMcast(GROUP);
    });
  });

  suite.provokes('only groups, only UD', (bench) => {
    const { qp } = datagramSide(bench);
    for (const gid of ['fe80::1', '::', '10.0.0.1', 'nonsense']) {
      expectError('EINVAL', () => {
        qp.attachMcast(gid);
      });
    }
    expectError('EINVAL', () => {
      qp.attachMcast(GROUP, 0x10000);
    });
    for (const qpType of [QpType.RC, QpType.UC]) {
      if (!bench.supports(qpType === QpType.RC ? 'rc' : 'uc')) continue;
      const connected = bench.side({ qpType });
      expectError('EINVAL', () => {
        connected.qp.attachMcast(GROUP);
      });
    }
  });

  suite.provokes('as many as the device says, and no more', (bench) => {
    const side = datagramSide(bench);
    const { maxMcastGrp, maxMcastQpAttach, maxTotalMcastQpAttach } = side.context.queryDevice();
    const group = (n: number): Gid => Gid.parse(`ff15::${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}`);
    if (maxMcastGrp > 5000 || Math.min(maxMcastQpAttach, maxTotalMcastQpAttach - maxMcastGrp) > 500) return;
    for (let n = 0; n < maxMcastGrp; n++) side.qp.attachMcast(group(n));
    expectError('ENOMEM', () => {
      side.qp.attachMcast(group(maxMcastGrp));
    });
    for (let n = 1; n < maxMcastQpAttach && n < maxTotalMcastQpAttach - maxMcastGrp; n++) {
      side.createQp({ qpType: QpType.UD, cap: { maxSendWr: 1, maxRecvWr: 1 } }).attachMcast(group(0));
    }
    const late = side.createQp({ qpType: QpType.UD });
    expectError('ENOMEM', () => {
      late.attachMcast(group(0));
    });
    side.qp.detachMcast(group(0));
    late.attachMcast(group(0));
  });
});
