import { expect } from 'chai';
import { Gid, QpAttrMask } from '@openverbs/verbs';
import type { QpAttr } from '@openverbs/verbs';
import { fromQpc, toQpChange } from '../../src/driver/qp-attributes.ts';
import { modifyQp } from '../../src/modify-qp.ts';
import { Testbed } from '../support/testbed.ts';

const grh = {
  dgid: Gid.parse('fe80::200:0:0:101'),
  flowLabel: 0xfffff,
  sgidIndex: 3,
  hopLimit: 255,
  trafficClass: 254,
};
const ahAttr = { dlid: 0xfffe, sl: 15, srcPathBits: 127, staticRate: 18, isGlobal: true, portNum: 2, grh };
const { STATE, AV, PATH_MTU, DEST_QPN, RQ_PSN, MAX_DEST_RD_ATOMIC, MIN_RNR_TIMER, PKEY_INDEX, PORT } = QpAttrMask;
const { ACCESS_FLAGS, SQ_PSN, TIMEOUT, RETRY_CNT, RNR_RETRY, MAX_QP_RD_ATOMIC, PATH_MIG_STATE, ALT_PATH, QKEY } =
  QpAttrMask;
const { EN_SQD_ASYNC_NOTIFY } = QpAttrMask;

/** Each with a value of its own, so that two words that are mixed up are found. */
const attr: QpAttr = {
  qpState: 1,
  pathMtu: 5,
  pathMigState: 1,
  qkey: 0x11111111,
  rqPsn: 0xfffffe,
  sqPsn: 0xabcdef,
  destQpNum: 0xff0102,
  qpAccessFlags: 0b1011,
  pkeyIndex: 6,
  maxRdAtomic: 7,
  maxDestRdAtomic: 8,
  minRnrTimer: 31,
  portNum: 2,
  timeout: 30,
  retryCnt: 5,
  rnrRetry: 4,
  enSqdAsyncNotify: true,
  ahAttr,
  altPortNum: 1,
  altPkeyIndex: 0,
  altTimeout: 17,
  altAhAttr: { ...ahAttr, sl: 1, portNum: 1, grh: { ...grh, sgidIndex: 0, hopLimit: 3 } },
};
const ALL =
  STATE | AV | PATH_MTU | DEST_QPN | RQ_PSN | MAX_DEST_RD_ATOMIC | MIN_RNR_TIMER | PKEY_INDEX | PORT | ACCESS_FLAGS |
  SQ_PSN | TIMEOUT | RETRY_CNT | RNR_RETRY | MAX_QP_RD_ATOMIC | PATH_MIG_STATE | ALT_PATH | QKEY | EN_SQD_ASYNC_NOTIFY; // prettier-ignore

describe('the attributes of a QP', () => {
  function modified(mask: number, changed: QpAttr = attr): ReturnType<typeof fromQpc>['attr'] {
    const bed = new Testbed();
    const qp = bed.qp();
    bed.engine.command(() => {
      modifyQp(bed.engine, bed.hca, qp.context, toQpChange(changed, mask));
    });
    return fromQpc(bed.i32, bed.machine.u8, qp.context).attr;
  }

  it('come back as they were set', () => {
    const got = modified(ALL);
    const { ahAttr: path, altAhAttr: altPath, ...rest } = got;
    const { ahAttr: wanted, altAhAttr: altWanted, ...others } = attr;
    expect({ ...altPath, grh: { ...altPath.grh, dgid: 0 } }).to.deep.equal({
      ...altWanted,
      grh: { ...altWanted!.grh, dgid: 0 },
    });
    expect(rest).to.include(others);
    expect(path.grh?.dgid.toString()).to.equal(wanted?.grh?.dgid.toString());
    expect({ ...path, grh: { ...path.grh, dgid: 0 } }).to.deep.equal({ ...wanted, grh: { ...grh, dgid: 0 } });
    expect(got.curQpState).to.equal(1);
  });

  it('come back without a global route as they were set', () => {
    const local = { dlid: 1, sl: 2, srcPathBits: 3, staticRate: 4, isGlobal: false, portNum: 1 };
    expect(modified(STATE | AV, { qpState: 1, ahAttr: local }).ahAttr).to.deep.equal(local);
  });

  it('that the mask leaves out are left alone', () => {
    const got = modified(STATE | PKEY_INDEX | PORT);
    expect(got).to.include({
      qpState: 1,
      pkeyIndex: 6,
      timeout: 0,
      retryCnt: 0,
      destQpNum: 0,
      enSqdAsyncNotify: false,
    });
    expect(got.ahAttr.isGlobal).to.equal(false);
  });

  it('of the ring sizes are those of the QP', () => {
    const bed = new Testbed();
    const qp = bed.qp({ sqLog2Count: 3, rqLog2Count: 2, maxSendSge: 2, maxRecvSge: 1, maxInline: 33 });
    expect(fromQpc(bed.i32, bed.machine.u8, qp.context).cap).to.deep.equal({
      maxSendWr: 8,
      maxRecvWr: 4,
      maxSendSge: 2,
      maxRecvSge: 1,
      maxInlineData: 33,
    });
  });
});
