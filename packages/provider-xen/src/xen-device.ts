/** A device in a guest, as its programs see it: what the split driver passes on of the lower one. */
import { CAPABILITY_MANIFEST_VERSION } from '@openverbs/verbs/driver';
import type { CapabilityManifest, CapabilityName, ContextOps, DeviceFaults, DeviceOps } from '@openverbs/verbs/driver';
import { Frontend } from './frontend/frontend.ts';
import type { FrontendInit } from './frontend/frontend.ts';

/** What the split driver does not pass on: the guest's pages alone can be named to the back-end, and in basic it has no rings. */
const NOT_PASSED_ON: Readonly<Record<string, readonly CapabilityName[]>> = {
  bypass: ['registersAnyMemory'],
  basic: ['registersAnyMemory', 'directAccess'],
};

export class XenDevice implements DeviceOps {
  readonly name: string;
  readonly guid: bigint;
  readonly nodeType: number;
  readonly transportType: number;
  readonly capabilities: CapabilityManifest;
  readonly fabric?: string;
  readonly faults?: DeviceFaults;
  readonly frontend: Frontend;
  readonly #lower: Pick<DeviceOps, 'removed'>;

  /** @param lower - the lower device as this thread sees it: which network it is on, its faults for tests, and whether it was pulled out */
  constructor(name: string, init: FrontendInit, lower: Pick<DeviceOps, 'fabric' | 'faults' | 'removed'>) {
    const { fabric, faults } = lower;
    this.#lower = lower;
    this.frontend = new Frontend(init);
    const { nodeGuid, nodeType, transportType, capabilities } = this.frontend.xenbus.info();
    this.name = name;
    this.guid = nodeGuid;
    this.nodeType = nodeType;
    this.transportType = transportType;
    const left = NOT_PASSED_ON[this.frontend.xenbus.mode];
    const passedOn = capabilities.filter((each) => !left.includes(each as CapabilityName));
    const supports = Object.fromEntries(passedOn.map((each) => [each, true]));
    this.capabilities = { version: CAPABILITY_MANIFEST_VERSION, supports };
    if (fabric !== undefined) this.fabric = fabric;
    if (faults !== undefined) this.faults = faults;
  }

  /** Whether the lower device was pulled out. */
  get removed(): boolean {
    return this.#lower.removed === true;
  }

  open(): ContextOps {
    return this.frontend.open();
  }

  registrationSaved(pages: number): void {
    this.frontend.registrationSaved(pages);
  }

  close(): void {
    this.frontend.close();
  }
}
