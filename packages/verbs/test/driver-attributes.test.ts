import { expect } from 'chai';
import { deviceAttrOf, newQpAttr, portAttrOf, rnrTimerNs, timeoutNs } from '../src/driver/attributes.ts';
import { LinkLayer } from '../src/enums/port.ts';
import { QpState } from '../src/enums/qp.ts';
import { QP_ATTR_RULES } from '../src/qp-attr-rules.ts';

describe('attributes for providers', () => {
  it('a device has what is said and nothing else', () => {
    const limits = { maxMrSize: 1, maxQp: 2, maxQpWr: 3, maxSge: 4, maxCq: 5, maxCqe: 6, maxMr: 7, maxPd: 8 };
    const attr = deviceAttrOf({ nodeGuid: 9n, ...limits });
    expect(attr).to.include({ ...limits, nodeGuid: 9n, sysImageGuid: 9n, physPortCnt: 1, maxSrq: 0, maxQpRdAtom: 0 });
  });

  it('a port is what is said', () => {
    expect(portAttrOf({ maxMsgSz: 5, linkLayer: LinkLayer.INFINIBAND, lid: 7 })).to.include({ maxMsgSz: 5, lid: 7 });
  });

  it('a new QP has every attribute', () => {
    const cap = { maxSendWr: 1, maxRecvWr: 2, maxSendSge: 3, maxRecvSge: 4, maxInlineData: 5 };
    const attr = newQpAttr(cap);
    expect(Object.keys(attr)).to.include.members(QP_ATTR_RULES.map(({ key }) => key));
    expect(attr).to.deep.include({ qpState: QpState.RESET, cap });
  });

  it('codes of time', () => {
    expect([0, 1, 14, 31].map(timeoutNs)).to.deep.equal([Infinity, 8192, 67_108_864, 4096 * 2 ** 31]);
    // IBTA table 45, in units of 10 us.
    const table = [65536, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048];
    expect(table.map((_, code) => rnrTimerNs(code) / 10_000)).to.deep.equal(table);
    expect([23, 24, 30, 31].map((code) => rnrTimerNs(code) / 10_000)).to.deep.equal([3072, 4096, 32768, 49152]);
  });
});
