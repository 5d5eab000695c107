/** How much of what is one for all a guest gets, in numbers. */
import { expect } from 'chai';
import type { DomainMemory } from '@openverbs/hypervisor';
import type { Device, DeviceAttr } from '@openverbs/verbs';
import { CQE_BYTES } from '@openverbs/verbs/rings';
import { QUOTAS } from '../src/backend/quota.ts';
import { defaultQuotas, sharedLimits, shareOf, withinQuota } from '../src/backend/shares.ts';
import { WEIGHT_MAX } from '../src/protocol/limits.ts';
import { setShare } from '../src/toolstack.ts';
import { HostileFrontend } from './support/hostile-frontend.ts';
import { XenMachine } from './support/xen-machine.ts';

const MEMORY = { maxPages: 2 ** 20, pinnedRunsMax: 2 ** 20 } as DomainMemory;
const GROUPS = { maxTotalMcastQpAttach: 900, maxMcastGrp: 900, maxMcastQpAttach: 900 };
const ATTR = { maxPd: 0, maxMr: 0, maxMw: 0, maxCq: 0, maxQp: 0, maxSrq: 0, maxAh: 0, ...GROUPS } as DeviceAttr;

function deviceOf(attr: object): Device {
  const context = { queryDevice: () => ({ ...ATTR, ...attr }), [Symbol.dispose]: () => undefined };
  return { open: () => context } as unknown as Device;
}

describe('a guest’s share', () => {
  it('is a sixteenth of what is left when a sixteenth is kept, and never nothing', () => {
    expect([1, 16, 17, 34, 35, 320, 65536].map(shareOf)).to.deep.equal([1, 1, 1, 1, 2, 18, 3840]);
  });

  it('of regions and windows is of one table where a device says the same of both', () => {
    const { mrs, mws } = QUOTAS;
    const one = sharedLimits({ ...ATTR, maxMr: 9216, maxMw: 9216 }, MEMORY);
    expect([one.mrs, one.mws]).to.deep.equal([(9216 * mrs) / (mrs + mws), (9216 * mws) / (mrs + mws)]);
    const two = sharedLimits({ ...ATTR, maxMr: 100, maxMw: 50 }, MEMORY);
    expect([two.mrs, two.mws]).to.deep.equal([100, 50]);
  });

  it('of groups is of the least that a device says of them', () => {
    for (const name of Object.keys(GROUPS))
      expect(sharedLimits({ ...ATTR, [name]: 32 }, MEMORY).attachments, name).to.equal(32);
  });

  it('is of the device that has least, and no more than the default; a device that says nothing of a kind limits it not', () => {
    const quotas = defaultQuotas(
      [deviceOf({ maxQp: 640 }), deviceOf({ maxQp: 320 }), deviceOf({ maxQp: 960 })],
      MEMORY,
    );
    expect(quotas.qps).to.equal(shareOf(320));
    expect(defaultQuotas([deviceOf({ maxQp: 2 ** 24 })], MEMORY).qps).to.equal(QUOTAS.qps);
    expect(defaultQuotas([deviceOf({})], MEMORY).cqs).to.equal(QUOTAS.cqs);
  });

  it('of entries of a CQ is what there is room for in basic, a power of two and one at least, and all in bypass', () => {
    const attr = { ...ATTR, maxCqe: 2 ** 20 };
    const of = (entries: number, bypass: boolean): number =>
      withinQuota(attr, { ...QUOTAS, queueBytes: entries * CQE_BYTES }, bypass).maxCqe;
    expect([0, 1, 2, 9, 16, 17].map((entries) => of(entries, false))).to.deep.equal([1, 1, 1, 8, 8, 16]);
    expect([of(2 ** 30, false), of(9, true)]).to.deep.equal([2 ** 20, 2 ** 20]);
  });

  it('by weight is from 1 to the largest weight, whatever stands in xenstore', () => {
    const xen = new XenMachine();
    try {
      const guest = xen.addGuest('basic');
      new HostileFrontend(xen, guest).connect();
      const [{ requests }] = xen.dom0.backend.guests;
      for (const [weight, effective] of [
        [7, 7],
        [0, 1],
        [-5, 1],
        [NaN, 1],
        [WEIGHT_MAX + 1, WEIGHT_MAX],
      ]) {
        setShare(xen.toolstack.xenstore, guest.domid, 0, { weight, rateBytesPerS: 0, burstBytes: 0 });
        xen.settle();
        expect(requests.queue.weight, String(weight)).to.equal(effective);
      }
    } finally {
      xen.close();
    }
  });
});
