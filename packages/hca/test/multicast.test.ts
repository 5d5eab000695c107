import { expect } from 'chai';
import { SendWqe } from '@openverbs/verbs/rings';
import { Mcast, Qpc, QpcState, QpcType } from '../src/layout.ts';
import { attachments, attachMulticast, detachMulticast, MULTICAST_QPN } from '../src/multicast.ts';
import { recover } from '../src/recovery.ts';
import { audit } from './support/audit.ts';
import { expectDeviceError, Testbed } from './support/testbed.ts';
import type { TestQp } from './support/test-qp.ts';

const GROUP = Uint8Array.from([0xff, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
const UNICAST = Uint8Array.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
const QKEY = 5;

function datagramQp(bed: Testbed): TestQp {
  const qp = bed.qp({ type: QpcType.UD, recvCq: bed.cq() });
  bed.modify(qp, QpcState.INIT, new Map([[Qpc.PORT, 1], [Qpc.PKEY_INDEX, 0], [Qpc.QKEY, QKEY]])); // prettier-ignore
  bed.modify(qp, QpcState.RTR);
  bed.modify(qp, QpcState.RTS);
  return qp;
}

function member(bed: Testbed): TestQp {
  const qp = datagramQp(bed);
  const region = bed.region(64);
  for (let n = 0; n < 2; n++) qp.recv([region.sge(0, 64)]);
  bed.engine.command(() => {
    attachMulticast(bed.engine, bed.hca, qp.context, GROUP);
  });
  return qp;
}

function sendToGroup(bed: Testbed, qp: TestQp): void {
  const ah = bed.ah({ dgid: GROUP });
  const words = { [SendWqe.RKEY]: QKEY, [SendWqe.REMOTE_ADDR_LO]: ah, [SendWqe.REMOTE_ADDR_HI]: MULTICAST_QPN };
  qp.send({ words });
}

describe('a multicast group', () => {
  it('goes on behind the last copy when a thread died among them', () => {
    const bed = new Testbed();
    const [sender, first, second] = [datagramQp(bed), member(bed), member(bed)];
    // As after a death behind the first copy of the WQE that comes next.
    sender.setWord('MCAST_WQE', 0);
    sender.setWord('MCAST_NEXT', 1);
    sendToGroup(bed, sender);
    expect([first, second].map(({ recvCq }) => recvCq.poll().length)).to.deep.equal([0, 1]);
    sendToGroup(bed, sender);
    expect([first, second].map(({ recvCq }) => recvCq.poll().length)).to.deep.equal([1, 1]);
    expect(sender.sendCq.poll()).to.have.length(2);
    audit(bed);
  });

  it('forgets how far it was at a reset', () => {
    const bed = new Testbed();
    const sender = datagramQp(bed);
    const other = member(bed);
    sendToGroup(bed, sender);
    bed.modify(sender, QpcState.RESET);
    sender.sent = 0;
    bed.modify(sender, QpcState.INIT, new Map([[Qpc.PORT, 1]]));
    bed.modify(sender, QpcState.RTR);
    bed.modify(sender, QpcState.RTS);
    sendToGroup(bed, sender);
    expect(other.recvCq.poll()).to.have.length(2);
  });

  it('leaves no attachment of a QP that is gone, and gives a new one none', () => {
    const bed = new Testbed();
    const [sender, gone] = [datagramQp(bed), member(bed)];
    gone.destroy();
    expect(attachments(bed.i32, bed.hca)).to.deep.equal([]);
    const heir = datagramQp(bed);
    heir.recv([bed.region(64).sge(0, 64)]);
    sendToGroup(bed, sender);
    expect(heir.recvCq.poll()).to.deep.equal([]);
  });

  it('does not trust an entry whose QP has another number', () => {
    const bed = new Testbed();
    const [sender, qp] = [datagramQp(bed), member(bed)];
    bed.i32[attachments(bed.i32, bed.hca)[0] + Mcast.QPN] ^= 0x10000;
    sendToGroup(bed, sender);
    expect(qp.recvCq.poll()).to.deep.equal([]);
  });

  it('survives a takeover', () => {
    const bed = new Testbed();
    const [sender, qp] = [datagramQp(bed), member(bed)];
    bed.engine.command(() => {
      recover(bed.engine);
    });
    sendToGroup(bed, sender);
    expect(qp.recvCq.poll()).to.have.length(1);
  });

  it('is refused to other QPs, other GIDs, and is left once', () => {
    const bed = new Testbed();
    const attach = (qp: TestQp, gid: Uint8Array): void => {
      bed.engine.command(() => {
        attachMulticast(bed.engine, bed.hca, qp.context, gid);
      });
    };
    expectDeviceError(() => attach(bed.qp(), GROUP), 'EINVAL', /only UD/);
    expectDeviceError(() => attach(datagramQp(bed), UNICAST), 'EINVAL', /no multicast/);
    const qp = member(bed);
    const detach = (): void => {
      bed.engine.command(() => {
        detachMulticast(bed.engine, bed.hca, qp.context, GROUP);
      });
    };
    detach();
    expectDeviceError(detach, 'EINVAL', /not attached/);
  });

  it('has a number that no QP gets', () => {
    const bed = new Testbed();
    const { qps } = bed.hca;
    while (qps.inUse < 65535) qps.alloc();
    const q = bed.hca.qpTable + 65535 * Qpc.WORDS;
    bed.i32[q + Qpc.GENERATION] = 254;
    expect(bed.qp().number).to.equal(0x1ffff);
  });
});
