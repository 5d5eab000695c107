/** Devices. */
import { Context } from './context.ts';
import type { CapabilityName } from './driver/capabilities.ts';
import type { DeviceFaults, DeviceOps } from './driver/device-ops.ts';
import type { EventDispatcherOps } from './driver/events.ts';
import type { NodeType, TransportType } from './enums/node.ts';
import { inVerb } from './errors.ts';
import { inspectCustom, inspectLine } from './inspect.ts';

/**
 * A device (`struct ibv_device`): what `openVerbs().devices` lists. It holds nothing until it is opened. Source:
 * `ibv_get_device_list`(3).
 */
export class Device {
  /** Name, unique within the provider. */
  readonly name: string;
  /** GUID of the node, in host order. */
  readonly guid: bigint;
  /** What kind of node it is. */
  readonly nodeType: NodeType;
  /** What it speaks. */
  readonly transportType: TransportType;
  /** Name of the provider. */
  readonly provider: string;
  /** The same in devices that reach each other, another in those that do not; undefined where only the network knows. */
  readonly fabric: string | undefined;
  readonly #ops: DeviceOps;
  readonly #dispatcher: EventDispatcherOps;

  /** Applications get devices from `openVerbs()`; a composition root makes them. */
  constructor(ops: DeviceOps, providerName: string, dispatcher: EventDispatcherOps) {
    this.name = ops.name;
    this.guid = ops.guid;
    this.nodeType = ops.nodeType as NodeType;
    this.transportType = ops.transportType as TransportType;
    this.provider = providerName;
    this.fabric = ops.fabric;
    this.#ops = ops;
    this.#dispatcher = dispatcher;
  }

  /** Whether the device can do something, before it is opened. */
  supports(name: CapabilityName): boolean {
    return this.#ops.capabilities.supports[name] === true;
  }

  /** Whether it was pulled out. It can't be opened any more; what is open on it can only be ended. */
  get removed(): boolean {
    return this.#ops.removed === true;
  }

  /** Causes what can happen to hardware. `openverbs/testing` has functions for it; undefined where the device can't. */
  get faults(): DeviceFaults | undefined {
    return this.#ops.faults;
  }

  /**
   * Opens the device, for this thread. Throws ENODEV once it was pulled out, ENOMEM when it has no doorbell page left for one more context.
   * Source: `ibv_open_device`(3).
   */
  open(): Context {
    return inVerb('ibv_open_device', () => {
      const ops = this.#ops.open();
      try {
        return new Context(this, ops, this.#dispatcher);
      } catch (error) {
        ops.close();
        throw error;
      }
    });
  }

  /** Its name. */
  toString(): string {
    return this.name;
  }

  /** @internal */
  [inspectCustom](): string {
    return inspectLine('Device', { name: this.name, provider: this.provider, guid: guidStr(this.guid) });
  }
}

/** A GUID in four groups, as `ibv_devinfo` prints it: `0202:c9ff:fe00:0001`. */
export function guidStr(guid: bigint): string {
  return BigInt.asUintN(64, guid).toString(16).padStart(16, '0').match(/.{4}/g)!.join(':');
}
