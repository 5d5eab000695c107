/** Regions that a guest is telling of: their pages come in chunks, are checked and pinned as they come. */
import { XEN_PAGE_BYTES } from '@openverbs/hypervisor';
import type { PinnedPages } from '@openverbs/hypervisor';
import { VerbsError } from '@openverbs/verbs';
import { Account } from './accounting.ts';
import type { GuestContext } from './guest-context.ts';
import type { Quota } from './quota.ts';

/** What BEGIN_REGION told. */
export interface RegionRequest {
  readonly context: GuestContext;
  readonly use: number;
  readonly mr: number;
  readonly flags: number;
  readonly pd: number;
  readonly access: number;
  readonly iova: number;
  readonly length: number;
  readonly firstOffset: number;
  /** How many pages there are to be. */
  readonly pages: number;
}

/** Pages that came in one command, pinned. */
export interface Pins {
  readonly pages: PinnedPages;
  /** Runs of pages that follow each other. */
  readonly runs: number;
}

/** A region with the pages that have come so far, all of them pinned. */
export interface PendingRegion extends RegionRequest {
  /** Bus addresses of the pages. */
  readonly addresses: number[];
  readonly pins: Pins[];
}

/** Pins pages of the guest, or throws EINVAL when one of them is not the guest's. */
export type PinPages = (frames: readonly number[]) => PinnedPages;

export class PendingRegions {
  readonly #pin: PinPages;
  readonly #quota: Quota;
  readonly #regions = new Map<number, PendingRegion>();
  readonly #counts: Float64Array;
  #last = 0;
  #pinnedPages = 0;

  constructor(pin: PinPages, quota: Quota, counts: Float64Array) {
    this.#pin = pin;
    this.#quota = quota;
    this.#counts = counts;
  }

  /** Pages that are pinned, each as often as it is. */
  get pinnedPages(): number {
    return this.#pinnedPages;
  }

  begin(request: RegionRequest): number {
    const { firstOffset, length, pages } = request;
    const needed = Math.ceil((firstOffset + length) / XEN_PAGE_BYTES);
    if (length === 0 || needed !== pages) {
      const message = `${length} bytes from offset ${firstOffset} lie in ${needed} pages, not ${pages}`;
      throw new VerbsError({ code: 'EINVAL', message });
    }
    this.#quota.take('regions');
    // Never a number that is in use: there are far fewer than there are numbers.
    do this.#last = (this.#last % 0x7fffffff) + 1;
    while (this.#regions.has(this.#last));
    this.#regions.set(this.#last, { ...request, addresses: [], pins: [] });
    return this.#last;
  }

  add(number: number, frames: readonly number[]): void {
    const region = this.#get(number);
    if (region.addresses.length + frames.length > region.pages) {
      throw new VerbsError({ code: 'EINVAL', message: `more than the ${region.pages} pages that were told of` });
    }
    if (frames.length === 0) throw new VerbsError({ code: 'EINVAL', message: 'no page is named' });
    const pins = this.#pinned(frames);
    region.pins.push(pins);
    this.#counts[Account.PAGES_VERIFIED] += frames.length;
    // Not of what the guest said: a page reference is no address, though one is made of the other here.
    for (const address of pins.pages.addresses()) region.addresses.push(address);
  }

  /** Makes the region; when that fails it is given up. */
  end<T>(number: number, make: (region: PendingRegion) => T): T {
    const region = this.#get(number);
    if (region.addresses.length !== region.pages) {
      throw new VerbsError({
        code: 'EINVAL',
        message: `${region.addresses.length} of ${region.pages} pages have come`,
      });
    }
    try {
      const made = make(region);
      this.#forget(number);
      return made;
    } catch (error) {
      this.abort(number);
      throw error;
    }
  }

  abort(number: number): void {
    this.unpin(this.#get(number).pins);
    this.#forget(number);
  }

  /** Gives up all that are pending, or those of one context. */
  abortAll(context?: GuestContext): void {
    for (const [number, region] of [...this.#regions]) {
      if (context === undefined || region.context === context) this.abort(number);
    }
  }

  /** Undoes the pins of a region that is no more. */
  unpin(pins: readonly Pins[]): void {
    for (const { pages, runs } of pins) {
      pages.unpin();
      this.#pinnedPages -= pages.count;
      this.#quota.give('pages', pages.count);
      this.#quota.give('pinnedRuns', runs);
    }
  }

  /** Pins pages within the quotas, or none. */
  #pinned(frames: readonly number[]): Pins {
    const runs = frames.filter((frame, n) => n === 0 || frame !== frames[n - 1] + 1).length;
    const pin = (): Pins => ({ pages: this.#pin(frames), runs });
    const pinned = this.#quota.within('pages', () => this.#quota.within('pinnedRuns', pin, runs), frames.length);
    this.#pinnedPages += frames.length;
    return pinned;
  }

  #get(number: number): PendingRegion {
    const region = this.#regions.get(number);
    if (region !== undefined) return region;
    throw new VerbsError({ code: 'EINVAL', message: `there is no region ${number} under way` });
  }

  #forget(number: number): void {
    this.#regions.delete(number);
    this.#quota.give('regions');
  }
}
