/** What later versions of libibverbs added to an open device: extended queries, and the verbs that are left out. */
import type { DeviceAttr, DeviceAttrEx, PortAttr, RtValues } from './attributes/device.ts';
import type { ContextOps } from './driver/device-ops.ts';
import { assertOp, callOp } from './call-op.ts';
import { checkInteger } from './check.ts';
import type { Context } from './context.ts';
import type { Device } from './device.ts';
import { portSpeed } from './enums/port.ts';
import { inVerb } from './errors.ts';
import { refuseLeftOut } from './left-out.ts';
import { VerbsObject } from './lifetime.ts';
import { ParentDomain, type ParentDomainInitAttr, ThreadDomain } from './parent-domain.ts';

/** What a provider says that knows no extended attributes. */
const NO_EXTENSIONS: Omit<DeviceAttrEx, 'origAttr' | 'deviceCapFlagsEx' | 'physPortCntEx'> = {
  odpCaps: { generalCaps: 0n, rcOdpCaps: 0, ucOdpCaps: 0, udOdpCaps: 0 },
  completionTimestampMask: 0n,
  hcaCoreClock: 0,
  cqModCaps: { maxCqCount: 0, maxCqPeriod: 0 },
  maxDmSize: 0n,
  xrcOdpCaps: 0,
};

/** See `Context`. */
export abstract class ContextEx extends VerbsObject {
  /** The device. */
  abstract readonly device: Device;
  /** @internal */
  abstract readonly ops: ContextOps;
  #deviceAttrEx: DeviceAttrEx | null = null;

  /** What the device is. @internal */
  abstract queryDevice(): DeviceAttr;
  /** How a port is doing. @internal */
  abstract queryPort(port?: number): PortAttr;

  /** What the device is and where its limits lie, with what later versions added. Source: `ibv_query_device_ex`(3). */
  queryDeviceEx(): DeviceAttrEx {
    const verb = 'ibv_query_device_ex';
    this.assertLive(verb);
    if (this.#deviceAttrEx === null) {
      const origAttr = this.queryDevice();
      const own = { deviceCapFlagsEx: BigInt(origAttr.deviceCapFlags >>> 0), physPortCntEx: origAttr.physPortCnt };
      const added = inVerb(verb, () => this.ops.queryDeviceEx?.()) ?? { ...NO_EXTENSIONS, ...own };
      this.#deviceAttrEx = { origAttr, ...added };
    }
    return this.#deviceAttrEx;
  }

  /** The device's clock now, in ticks of `hcaCoreClock`, which is in kHz. Source: `ibv_query_rt_values_ex`(3). */
  queryRtValues(): RtValues {
    const verb = 'ibv_query_rt_values_ex';
    this.assertLive(verb);
    return { rawClock: callOp(this, verb, 'queryRawClock') };
  }

  /** Makes a thread domain. Source: `ibv_alloc_td`(3). */
  allocTd(): ThreadDomain {
    return new ThreadDomain(this as unknown as Context);
  }

  /**
   * Makes a parent domain: a protection domain with a thread domain, and taken wherever a protection domain is. Throws EINVAL for objects of
   * another context. Source: `ibv_alloc_parent_domain`(3).
   */
  allocParentDomain(init: ParentDomainInitAttr): ParentDomain {
    return new ParentDomain(this as unknown as Context, init);
  }

  /** The speed of a port in units of 100 Mb/s, 0 when it is not known. Source: `ibv_query_port_speed`(3). */
  queryPortSpeed(port = 1): number {
    const { activeWidth, activeSpeed } = this.queryPort(port);
    return portSpeed(activeWidth, activeSpeed);
  }

  /**
   * Hardware counters of a port since the device was made, by name: packets, retries, errors. What there is depends on the device;
   * the emulated HCA has those of rxe, see `docs/tracing.md`. Needs the capability `hwCounters`. C has no verb for it; in Linux they
   * are in sysfs, `hw_counters` of the port, and `rdma statistic show` prints them.
   */
  queryHwCounters(port = 1): Readonly<Record<string, number>> {
    const verb = 'queryHwCounters';
    this.assertLive(verb);
    assertOp(this, verb, 'queryHwCounters');
    checkInteger(verb, 'port', port, 1, this.queryDevice().physPortCnt, 'ports of the device');
    return callOp(this, verb, 'queryHwCounters', port);
  }

  /** Left out: throws EOPNOTSUPP. Memory of a software HCA is `allocBuf`. */
  allocDm(): never {
    refuseLeftOut('ibv_alloc_dm');
  }

  /** Left out: throws EOPNOTSUPP. */
  createWq(): never {
    refuseLeftOut('ibv_create_wq');
  }

  /** Left out: throws EOPNOTSUPP. */
  createRwqIndTable(): never {
    refuseLeftOut('ibv_create_rwq_ind_table');
  }

  /** Left out: throws EOPNOTSUPP. */
  createFlowActionEsp(): never {
    refuseLeftOut('ibv_create_flow_action_esp');
  }

  /** Left out: throws EOPNOTSUPP. */
  createCounters(): never {
    refuseLeftOut('ibv_create_counters');
  }

  /** Left out: throws EOPNOTSUPP. */
  createCompCntr(): never {
    refuseLeftOut('ibv_create_comp_cntr');
  }

  /** Left out: throws EOPNOTSUPP. */
  allocDmah(): never {
    refuseLeftOut('ibv_alloc_dmah');
  }
}
