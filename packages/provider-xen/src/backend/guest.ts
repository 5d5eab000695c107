/**
 * A guest, as the back-end knows it: one front-end of it that is connected. What it has made, what it may have, what it has had.
 *
 * The words of its commands come from elsewhere (see `connection.ts`), its events go elsewhere (see `event-forwarder.ts`).
 */
import type { Domain, PinnedPages } from '@openverbs/hypervisor';
import type { Context, Device, DeviceAttr } from '@openverbs/verbs';
import { VerbsError } from '@openverbs/verbs';
import { GuestCount } from '../channel/guest-counts.ts';
import { closeEach } from '../close-each.ts';
import { asVerbsError } from '../hypervisor-errors.ts';
import type { GrantedUserHalf } from '../protocol/commands.ts';
import { Account } from './accounting.ts';
import { DirectPosts } from './direct-posts.ts';
import { GuestContext } from './guest-context.ts';
import { PendingRegions } from './pending-region.ts';
import type { Quota } from './quota.ts';
import type { Requests } from './requests.ts';
import { withinQuota } from './shares.ts';
import type { UarGrants } from './uar-grants.ts';
import { XrcdFiles } from './xrcd-files.ts';

/** What a guest is made of. */
export interface GuestInit {
  readonly domid: number;
  /** The domain of the back-end. */
  readonly dom0: Domain;
  /** The lower device. */
  readonly device: Device;
  /** Whether the guest gets direct access. */
  readonly bypass: boolean;
  readonly requests: Requests;
  /** That of the domain, for all of its front-ends. */
  readonly quota: Quota;
  /** Likewise the UARs that it has, also of former connections. */
  readonly uars: UarGrants;
  /** Where it is counted what the guest has; see `Account`. */
  readonly counts: Float64Array;
}

export class Guest {
  readonly domid: number;
  readonly counts: Float64Array;
  readonly directPosts: DirectPosts;
  readonly quota: Quota;
  readonly regions: PendingRegions;
  readonly requests: Requests;
  readonly xrcdFiles = new XrcdFiles();
  readonly #device: Device;
  readonly #dom0: Domain;
  readonly #bypass: boolean;
  readonly #uars: UarGrants;
  readonly #contexts = new Map<number, GuestContext>();
  #lastContext = 0;

  constructor({ domid, dom0, device, bypass, requests, quota, uars, counts }: GuestInit) {
    this.domid = domid;
    this.requests = requests;
    this.counts = counts;
    this.directPosts = new DirectPosts(counts);
    this.#device = device;
    this.#dom0 = dom0;
    this.#bypass = bypass;
    this.quota = quota;
    this.#uars = uars;
    this.regions = new PendingRegions((frames) => pinOf(dom0, domid, frames), this.quota, counts);
  }

  get contexts(): IterableIterator<GuestContext> {
    return this.#contexts.values();
  }

  /** Opens a context, with one of the lower device's behind it. Those that were closed with their UARs mapped count until these are unmapped. */
  openContext(): GuestContext {
    this.#uars.sweep();
    return this.quota.within('contexts', () => {
      const lower = this.#device.open();
      const userHalf = this.#bypass ? this.#grantUar(lower) : null;
      const context = new GuestContext(++this.#lastContext, lower, this.quota, userHalf);
      this.#contexts.set(context.handle, context);
      return context;
    });
  }

  #grantUar(lower: Context): GrantedUserHalf {
    try {
      return asVerbsError(() => this.#uars.grant(lower));
    } catch (error) {
      lower[Symbol.dispose]();
      throw error;
    }
  }

  /** What the lower device says of itself, as far as the guest may have it. */
  attrOf(attr: DeviceAttr): DeviceAttr {
    return withinQuota(attr, this.quota.limits, this.#bypass);
  }

  /** What the lower device knows the guest's pages by. */
  get dmaOwner(): number {
    return asVerbsError(() => this.#dom0.memory.dmaOwner(this.domid));
  }

  /** @throws VerbsError EINVAL when the guest has no such context */
  context(handle: number): GuestContext {
    const context = this.#contexts.get(handle);
    if (context !== undefined) return context;
    throw new VerbsError({ code: 'EINVAL', message: `there is no context ${handle}` });
  }

  /** Ends a context and all that is in it. The pages are let go when nothing moves there any more. */
  closeContext(handle: number): void {
    const context = this.context(handle);
    this.regions.abortAll(context);
    for (const { qp } of context.qps.values()) this.requests.drop(qp);
    this.#look(context);
    for (const { qp } of context.qps.values()) this.directPosts.forget(qp);
    for (const { srq } of context.srqs.values()) this.directPosts.forget(srq);
    const { pins } = context;
    const xrcds = context.xrcds.values();
    for (const { groups } of context.qps.values()) this.quota.give('attachments', groups.size);
    context.close();
    for (const xrcd of xrcds) this.xrcdFiles.release(xrcd);
    this.regions.unpin(pins);
    this.#contexts.delete(handle);
    this.#uars.close(context.lower);
  }

  /**
   * Brings up to date what is not counted as it happens: pages that are registered, posts that went straight to the device, and what the guest tells
   * of itself, of which only numbers are believed.
   */
  sample(told: Float64Array): void {
    const { counts } = this;
    counts[Account.PAGES_REGISTERED] = this.regions.pinnedPages;
    for (let n = 0; n < GuestCount.DOUBLES; n++) {
      const value = told[n];
      counts[Account.POLLS + n] = value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : 0;
    }
    if (this.#bypass) for (const context of this.#contexts.values()) this.#look(context);
  }

  #look({ qps, srqs }: GuestContext): void {
    for (const { qp } of qps.values()) this.directPosts.look(qp);
    for (const { srq } of srqs.values()) this.directPosts.look(srq);
  }

  /** The guest is gone: takes everything back. The device and the other guests go on. */
  reclaim(): void {
    closeEach([
      ...[...this.#contexts.keys()].map((handle) => () => this.closeContext(handle)),
      () => this.regions.abortAll(),
      () => this.requests.close(),
    ]);
  }
}

/** Pins pages, which the hypervisor allows for the guest's own alone. */
function pinOf(dom0: Domain, domid: number, frames: readonly number[]): PinnedPages {
  return asVerbsError(() => dom0.memory.pinPages(domid, frames));
}
