/**
 * The UARs that a guest has: one for each of its contexts, the page of which is granted to it and to nobody else.
 *
 * A grant is not revoked while it is mapped. So the UAR of a guest that closes a context and does not unmap stays with it, as a context of
 * the lower device that has nothing in it any more: nobody else gets that UAR until the guest has unmapped it, or is no more.
 */
import type { Domain } from '@openverbs/hypervisor';
import { HypervisorError, XEN_PAGE_BYTES } from '@openverbs/hypervisor';
import type { Context } from '@openverbs/verbs';
import { userHalfOf } from '@openverbs/verbs/driver';
import type { GrantedUserHalf } from '../protocol/commands.ts';
import type { Quota } from './quota.ts';

export class UarGrants {
  readonly #dom0: Domain;
  readonly #domid: number;
  readonly #quota: Quota;
  /** References that are not ended, by the context whose UAR they are of. */
  readonly #refs = new Map<Context, number[]>();
  /** Contexts that have ended but for a UAR that the guest has mapped. */
  readonly #kept = new Set<Context>();

  /** @param quota - of the domain, where each UAR counts as a context until nobody has it mapped */
  constructor(dom0: Domain, domid: number, quota: Quota) {
    this.#dom0 = dom0;
    this.#domid = domid;
    this.#quota = quota;
  }

  /** UARs of closed contexts that the guest has not unmapped. */
  get kept(): number {
    return this.#kept.size;
  }

  /** Grants the UAR of a context: all of its pages or none. */
  grant(lower: Context): GrantedUserHalf {
    const { driver, pages, words } = userHalfOf(lower);
    const refs: number[] = [];
    this.#refs.set(lower, refs);
    try {
      for (const address of pages) {
        refs.push(this.#dom0.grantTable.grantAccess(this.#domid, address / XEN_PAGE_BYTES));
      }
    } catch (error) {
      this.#revoke(lower);
      throw error;
    }
    return { driver, refs: [...refs], words };
  }

  /** Closes a context that has nothing in it any more: now, or as soon as the guest has unmapped its UAR. */
  close(lower: Context): void {
    this.#kept.add(lower);
    this.sweep();
  }

  /** Closes those whose UARs have been unmapped since. */
  sweep(): void {
    for (const lower of this.#kept) {
      if (!this.#revoke(lower)) continue;
      this.#kept.delete(lower);
      lower[Symbol.dispose]();
      this.#quota.give('contexts');
    }
  }

  /** Ends the grants of a context; false while one is mapped. */
  #revoke(lower: Context): boolean {
    const refs = this.#refs.get(lower) ?? [];
    for (let ref = refs.at(-1); ref !== undefined; ref = refs.at(-1)) {
      if (!this.#endAccess(ref)) return false;
      refs.pop();
    }
    this.#refs.delete(lower);
    return true;
  }

  #endAccess(ref: number): boolean {
    try {
      this.#dom0.grantTable.endAccess(ref);
      return true;
    } catch (error) {
      if (error instanceof HypervisorError && error.code === 'EBUSY') return false;
      throw error;
    }
  }
}
