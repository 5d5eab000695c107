/** Devices, and what they say of themselves and their ports (ibv_query_device, ibv_query_port, ibv_query_gid, ibv_query_pkey). */
import { expect } from 'chai';
import { AtomicCap, DeviceCapFlags, PortState, mtuToBytes, type DeviceAttr } from '@openverbs/verbs';
import type { CapabilityName } from '@openverbs/verbs/driver';
import { expectCompletions } from '../bench/completions.ts';
import { expectError } from '../bench/errors.ts';
import { expectBytes, fillPattern, pattern } from '../bench/payload.ts';
import { write } from '../bench/requests.ts';
import { defineSuite } from '../define-suite.ts';

const INVALIDATES =
  DeviceCapFlags.MEM_MGT_EXTENSIONS | DeviceCapFlags.MEM_WINDOW_TYPE_2A | DeviceCapFlags.MEM_WINDOW_TYPE_2B;

/** What `queryDevice` must say exactly when the manifest claims the capability. */
const shownByDevice: Readonly<Partial<Record<CapabilityName, (attr: DeviceAttr) => boolean>>> = {
  atomics: (attr) => attr.atomicCap !== AtomicCap.NONE,
  srq: (attr) => attr.maxSrq > 0 && attr.maxSrqWr > 0 && attr.maxSrqSge > 0,
  srqResize: (attr) => (attr.deviceCapFlags & DeviceCapFlags.SRQ_RESIZE) !== 0,
  multicast: (attr) => attr.maxMcastGrp > 0,
  memoryWindows: (attr) => attr.maxMw > 0 && (attr.deviceCapFlags & DeviceCapFlags.MEM_WINDOW) !== 0,
  xrc: (attr) => (attr.deviceCapFlags & DeviceCapFlags.XRC) !== 0,
  // The windows that can be invalidated; the extensions are more, registration by work request.
  localInvalidate: (attr) => (attr.deviceCapFlags & INVALIDATES) !== 0,
};

export const deviceSuite = defineSuite('device', [], (suite) => {
  suite.works('has a name and a GUID', (bench) => {
    expect(bench.device.name).to.be.a('string').that.is.not.empty;
    expect(bench.device.guid).to.be.a('bigint').that.is.not.equal(0n);
    expect(bench.open().queryDevice().nodeGuid, 'nodeGuid').to.equal(bench.device.guid);
  });

  suite.works('opens many times, each context for itself', (bench) => {
    const contexts = Array.from({ length: 32 }, () => bench.open());
    for (const context of contexts) expect(context.queryDevice().nodeGuid).to.equal(bench.device.guid);
    contexts.forEach((context, index) => {
      if (index % 2 === 0) context.close();
    });
    contexts.forEach((context, index) => {
      if (index % 2 === 1) context.allocPd();
    });
  });

  suite.works('states limits that allow some work', (bench) => {
    const attr = bench.open().queryDevice();
    const positive = ['maxQp', 'maxQpWr', 'maxSge', 'maxCq', 'maxCqe', 'maxMr', 'maxPd', 'physPortCnt'] as const;
    for (const limit of positive) expect(attr[limit], limit).to.be.greaterThan(0);
    expect(attr.maxQpWr, 'maxQpWr').to.be.at.least(64);
    expect(attr.maxMrSize, 'maxMrSize').to.satisfy((size: number | bigint) => size >= 64 * 1024);
  });

  suite.works('says the same as the manifest', (bench) => {
    const attr = bench.open().queryDevice();
    for (const [name, shown] of Object.entries(shownByDevice)) {
      expect(shown(attr), `queryDevice shows ${name}`).to.equal(bench.supports(name as CapabilityName));
    }
    if (bench.supports('rdmaRead')) expect(attr.maxQpRdAtom, 'maxQpRdAtom').to.be.greaterThan(0);
  });

  suite.works('tells how another thread joins', ['sharesMachine'], ({ machine }) => {
    expect(machine, 'machine').to.not.equal(undefined);
    expect(() => structuredClone(machine), 'a message can carry it').not.to.throw();
  });

  suite.works('is the same device for a thread that joins', ['sharesMachine', 'rc', 'rdmaWrite'], async (bench) => {
    const joined = await bench.join();
    const pair = bench.pair({ b: { device: joined[0] } });
    for (const [seed, from, to, whose] of [
      [1, pair.a, pair.b, 'the thread that joined'],
      [2, pair.b, pair.a, 'the thread that was there'],
    ] as const) {
      fillPattern(from.bytes, seed);
      from.qp.postSend(write(1, [from.sge()], to));
      await expectCompletions(from.sendCq, { wrId: 1 });
      expectBytes(to.bytes, pattern(seed, to.bytes.length), `memory of ${whose}`);
    }
  });

  suite.works('has an active first port', (bench) => {
    const port = bench.open().queryPort(1);
    expect(port.state, 'state').to.equal(PortState.ACTIVE);
    expect(mtuToBytes(port.activeMtu), 'activeMtu').to.be.at.least(256);
    expect(port.maxMtu, 'maxMtu').to.be.at.least(port.activeMtu);
    expect(port.gidTblLen, 'gidTblLen').to.be.greaterThan(0);
    expect(port.pkeyTblLen, 'pkeyTblLen').to.be.greaterThan(0);
  });

  suite.works('has a GID and a P_Key at index 0', (bench) => {
    const context = bench.open();
    expect(
      context.queryGid(1, 0).bytes.some((byte) => byte !== 0),
      'GID is not zero',
    ).to.equal(true);
    // Bits 0 to 14 are the partition; 0 is no partition (InfiniBand specification, 10.9.1.1).
    expect(context.queryPkey(1, 0) & 0x7fff, 'partition').to.not.equal(0);
  });

  suite.provokes('refuses ports that it has not', (bench) => {
    const context = bench.open();
    const { physPortCnt } = context.queryDevice();
    for (const port of [0, -1, physPortCnt + 1, 1.5, NaN]) {
      expectError('EINVAL', () => context.queryPort(port));
      expectError('EINVAL', () => context.queryGid(port, 0));
      expectError('EINVAL', () => context.queryPkey(port, 0));
    }
  });

  suite.provokes('refuses indices beyond its tables', (bench) => {
    const context = bench.open();
    const { gidTblLen, pkeyTblLen } = context.queryPort(1);
    for (const index of [gidTblLen, -1, 0.5]) expectError('EINVAL', () => context.queryGid(1, index));
    for (const index of [pkeyTblLen, -1, 0.5]) expectError('EINVAL', () => context.queryPkey(1, index));
  });
});
