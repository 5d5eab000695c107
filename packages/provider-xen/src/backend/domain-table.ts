/** What all front-ends of a domain have together: its quota, and its UARs. A domain has these once, however many front-ends it has. */
import type { Domain } from '@openverbs/hypervisor';
import type { Device } from '@openverbs/verbs';
import { Quota } from './quota.ts';
import type { QuotaKind, QuotaLimits } from './quota.ts';
import { defaultQuotas } from './shares.ts';
import { UarGrants } from './uar-grants.ts';

/** What they have together. */
export interface DomainParts {
  readonly quota: Quota;
  readonly uars: UarGrants;
}

export class DomainTable {
  readonly #dom0: Domain;
  readonly #devices: readonly Device[];
  readonly #quotas: Partial<Record<QuotaKind, number>>;
  readonly #domains = new Map<number, DomainParts>();
  /** Known once a guest connects: the devices are asked. */
  #quotaLimits: QuotaLimits | undefined;

  /** @param quotas - those that are not to be the default ones */
  constructor(dom0: Domain, devices: readonly Device[], quotas: Partial<Record<QuotaKind, number>>) {
    this.#dom0 = dom0;
    this.#devices = devices;
    this.#quotas = quotas;
  }

  /** What the front-ends of a domain have, also of former connections. */
  of(domid: number): DomainParts {
    this.#quotaLimits ??= { ...defaultQuotas(this.#devices, this.#dom0.memory), ...this.#quotas };
    const known = this.#domains.get(domid);
    if (known !== undefined) return known;
    const quota = new Quota(this.#quotaLimits);
    const parts = { quota, uars: new UarGrants(this.#dom0, domid, quota) };
    this.#domains.set(domid, parts);
    return parts;
  }

  /** UARs of closed contexts that guests have mapped still: nobody else gets these. */
  get uarsKept(): number {
    return [...this.#domains.values()].reduce((kept, { uars }) => kept + uars.kept, 0);
  }

  /**
   * Closes contexts whose UARs have been unmapped since, and forgets domains that have nothing any more: one that is dead has unmapped all.
   *
   * @param domids - of the domains that have a front-end
   * @param failed - is told of a domain at whose UARs this failed
   */
  sweep(domids: ReadonlySet<number>, failed: (domid: number, error: unknown) => void): void {
    for (const [domid, { uars }] of this.#domains) {
      try {
        uars.sweep();
      } catch (error) {
        failed(domid, error);
      }
      if (uars.kept === 0 && !domids.has(domid)) this.#domains.delete(domid);
    }
  }
}
