import { expect } from 'chai';
import { connectPair, Device, QpType, SendFlags, WorkCompletion, WrOpcode } from '@openverbs/verbs';
import { HcaDevice } from '../../src/driver/index.ts';
import { MR_PAGES_MAX } from '../../src/limits.ts';
import { audit } from '../support/audit.ts';
import { dispatcher } from '../support/dispatcher.ts';
import { Testbed } from '../support/testbed.ts';

const PAGE = 4096;
const ACCESS = 0xf;
/** 1 GiB. */
const MANY = 262_144;

describe('regions by bus addresses', () => {
  const open = () => {
    const bed = new Testbed();
    const device = new Device(new HcaDevice(bed.engine, bed.hca, bed.clock), 'emulated', dispatcher);
    const context = device.open();
    const pd = context.allocPd();
    return { bed, context, pd };
  };

  it('hold a list of 1 GiB, and give it back', () => {
    const { bed, context, pd } = open();
    const buffer = context.allocBuf(64 * PAGE);
    const { pages } = context.mapDma(buffer);
    // The machine of the test is smaller; a page may be there more than once.
    const list = Float64Array.from({ length: MANY }, (_, n) => pages[(n * 17) % 64]);
    const before = { ...bed.hca.objects, ...bed.machine.pages.stats() };
    const mr = pd.regPhysMr(list, { access: ACCESS });
    expect(mr.length).to.equal(2 ** 30);
    const cq = context.createCq({ cqe: 4 });
    const qp = pd.createQp({ qpType: QpType.RC, sendCq: cq, recvCq: cq, cap: { maxSendWr: 2, maxRecvWr: 2 } });
    connectPair(qp, qp);
    const source = pd.regMr(context.allocBuf(64), 1);
    source.bytes.fill(0x5a);
    for (const index of [0, 1, 131_071, MANY - 1]) {
      const page = ((index * 17) % 64) * PAGE;
      buffer.bytes.fill(0);
      qp.postSend({
        wrId: 1,
        opcode: WrOpcode.RDMA_WRITE,
        sendFlags: SendFlags.SIGNALED,
        sgList: [source.sge()],
        rkey: mr.rkey,
        remoteAddr: mr.iova + index * PAGE + 100,
      });
      const wcs = WorkCompletion.array(1);
      expect([cq.poll(wcs), wcs[0].status]).to.deep.equal([1, 0]);
      const written = [
        buffer.bytes[page + 99],
        buffer.bytes[page + 100],
        buffer.bytes[page + 163],
        buffer.bytes[page + 164],
      ];
      expect(written).to.deep.equal([0, 0x5a, 0x5a, 0]);
    }
    qp.destroy();
    cq.destroy();
    source.dereg();
    mr.dereg();
    audit(bed);
    const { buffers, usedBytes } = bed.machine.pages.stats();
    expect(buffers).to.equal(before.buffers + 1); // the source
    expect(usedBytes).to.equal(before.usedBytes + PAGE);
  });

  it('need no list when the pages are one run', () => {
    const { bed, context, pd } = open();
    const { pages } = context.mapDma(context.allocBuf(64 * PAGE));
    const { buffers } = bed.machine.pages.stats();
    pd.regPhysMr(pages, { access: ACCESS });
    expect(bed.machine.pages.stats().buffers).to.equal(buffers);
    pd.regPhysMr(Array.from(pages).reverse(), { access: ACCESS });
    expect(bed.machine.pages.stats().buffers).to.equal(buffers + 1);
  });

  it('have a limit, and leave the tables of the machine alone', () => {
    const { bed, pd } = open();
    const own = (bed.machine.firstPage - 1) * PAGE;
    expect(() => pd.regPhysMr([own], { access: ACCESS })).to.throw(/of no page of the machine/);
    const list = new Float64Array(MR_PAGES_MAX + 1).fill(own + PAGE);
    expect(() => pd.regPhysMr(list, { access: ACCESS })).to.throw(/EINVAL|pages|limit/);
    const mr = pd.getDmaMr(ACCESS);
    expect(mr.sge(own + PAGE, 8)).to.include({ addr: own + PAGE, lkey: mr.lkey });
  });
});
