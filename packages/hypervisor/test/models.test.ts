import { expect } from 'chai';
import fc from 'fast-check';
import { EmulatedHypervisor, HypervisorError } from '../src/index.ts';
import type { Domain, Mapping, PinnedPages } from '../src/index.ts';
import { audit } from './support/audit.ts';
import { StoreModel } from './support/store-model.ts';
import type { ModelTransaction } from './support/store-model.ts';
import { testbed } from './support/testbed.ts';
import type { Testbed } from './support/testbed.ts';

const RUNS = 150;
const LIMITS = { grantsMax: 24, mappingsMax: 8, portsMax: 8, pinnedRunsMax: 8, domainsMax: 8, xenstoreBytesMax: 65536 };
const MEMORY_BYTES = 8 * 2 ** 20;
const n = fc.nat({ max: 11 });

/** The code of the error that an action fails with, or 'ok'. */
function outcome(action: () => void): string {
  try {
    action();
    return 'ok';
  } catch (error) {
    if (!(error instanceof HypervisorError)) throw error;
    return error.code;
  }
}

interface ModelGrant {
  readonly owner: Domain;
  readonly ref: number;
  readonly frame: number;
  readonly to: number;
  readonly readonly: boolean;
  ended: boolean;
}

/** What grants, mappings and pins there are, as plain lists. */
class GrantModel {
  readonly bed: Testbed;
  readonly domains: readonly Domain[];
  readonly frames: { readonly owner: Domain; readonly frame: number }[] = [];
  readonly grants: ModelGrant[] = [];
  readonly mappings: { readonly grant: ModelGrant; readonly by: Domain; readonly mapping: Mapping }[] = [];
  readonly pins: { readonly frame: number; readonly pinned: PinnedPages }[] = [];

  constructor(bed: Testbed) {
    this.bed = bed;
    this.domains = [bed.dom0, bed.guest, bed.other];
    for (const owner of this.domains) {
      for (let i = 0; i < 2; i++) this.frames.push({ owner, frame: owner.memory.allocPages(1) });
    }
  }

  /** Does one thing; returns what came of it and what should have. */
  act(kind: number, a: number, b: number, flag: boolean): [string, string] {
    switch (kind) {
      case 0:
        return this.grant(this.domains[a % 3], b % this.frames.length, this.domains[(a + b) % 3].domid, flag);
      case 1:
        return this.end(a);
      case 2:
        return this.map(a, this.domains[b % 3], flag);
      case 3:
        return this.unmap(a);
      case 4:
        return this.pin(a);
      case 5:
        return this.unpin(a);
      default:
        return this.free(a);
    }
  }

  private grant(owner: Domain, index: number, to: number, readonly: boolean): [string, string] {
    const { frame, owner: of } = this.frames[index];
    const owned = this.grants.filter((grant) => grant.owner === owner && !grant.ended).length;
    const expected = of !== owner ? 'EPERM' : owned >= LIMITS.grantsMax - 8 ? 'ENOSPC' : 'ok';
    const got = outcome(() => {
      const ref = owner.grantTable.grantAccess(to, frame, readonly);
      this.grants.push({ owner, ref, frame, to, readonly, ended: false });
    });
    return [got, expected];
  }

  private end(a: number): [string, string] {
    const grant = this.grants[a % Math.max(this.grants.length, 1)];
    if (grant === undefined || this.reused(grant)) return ['', ''];
    const mapped = this.mappings.some((mapping) => mapping.grant === grant);
    const pinned = this.pins.some(({ frame }) => frame === grant.frame);
    const expected = grant.ended ? 'ENOENT' : mapped || pinned ? 'EBUSY' : 'ok';
    const got = outcome(() => {
      grant.owner.grantTable.endAccess(grant.ref);
      grant.ended = true;
    });
    return [got, expected];
  }

  private map(a: number, by: Domain, readonly: boolean): [string, string] {
    const grant = this.grants[a % Math.max(this.grants.length, 1)];
    if (grant === undefined || this.reused(grant)) return ['', ''];
    const own = this.mappings.filter((mapping) => mapping.by === by).length;
    const allowed = !grant.ended && grant.to === by.domid && (readonly || !grant.readonly) && this.owns(grant);
    const expected = !allowed ? 'EINVAL' : own >= LIMITS.mappingsMax ? 'ENOSPC' : 'ok';
    const got = outcome(() => {
      const mapping = by.grantTable.map(grant.owner.domid, [grant.ref], { readonly });
      expect(mapping.page(0).address).to.equal(grant.frame * 4096);
      this.mappings.push({ grant, by, mapping });
    });
    return [got, expected];
  }

  private unmap(a: number): [string, string] {
    const [mapped] = this.mappings.splice(a % Math.max(this.mappings.length, 1), 1);
    return [outcome(() => mapped?.mapping.unmap()), 'ok'];
  }

  private pin(a: number): [string, string] {
    const { frame, owner } = this.frames[a % this.frames.length];
    const expected = this.pins.length >= LIMITS.pinnedRunsMax ? 'ENOSPC' : 'ok';
    const got = outcome(() => {
      this.pins.push({ frame, pinned: this.bed.dom0.memory.pinPages(owner.domid, [frame]) });
    });
    return [got, expected];
  }

  private unpin(a: number): [string, string] {
    const [pin] = this.pins.splice(a % Math.max(this.pins.length, 1), 1);
    return [outcome(() => pin?.pinned.unpin()), 'ok'];
  }

  /** Frees a page, and allocates another in its place. */
  private free(a: number): [string, string] {
    const index = a % this.frames.length;
    const { frame, owner } = this.frames[index];
    const mapped = this.mappings.some(({ grant }) => grant.frame === frame);
    const pinned = this.pins.some((pin) => pin.frame === frame);
    const got = outcome(() => {
      owner.memory.freePages(frame);
      this.frames[index] = { owner, frame: owner.memory.allocPages(1) };
    });
    return [got, mapped || pinned ? 'EBUSY' : 'ok'];
  }

  /** Whether the page of a grant is still, or again, its granter's. */
  private owns({ owner, frame }: ModelGrant): boolean {
    return this.frames.some((entry) => entry.owner === owner && entry.frame === frame);
  }

  /** Whether the number of a grant that was ended belongs to another now. */
  private reused(grant: ModelGrant): boolean {
    const same = (other: ModelGrant): boolean => other.owner === grant.owner && other.ref === grant.ref;
    return grant.ended && this.grants.some((other) => same(other) && !other.ended);
  }
}

describe('grant tables, against a model', () => {
  it('count and refuse as lists of grants, mappings and pins do', function () {
    this.timeout(60000);
    const action = fc.tuple(fc.nat({ max: 6 }), n, n, fc.boolean());
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const model = new GrantModel(testbed(LIMITS, MEMORY_BYTES));
        for (const [kind, a, b, flag] of actions) {
          const [got, expected] = model.act(kind, a, b, flag);
          expect(got, `${kind} ${a} ${b}`).to.equal(expected);
        }
        audit(model.bed.machine);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('xenstore transactions, against a model', () => {
  const paths = ['/a', '/a/x', '/a/x/1', '/a/y', '/b', '/b/z'];
  const action = fc.record({
    kind: fc.constantFrom('read', 'write', 'mkdir', 'rm', 'directory', 'start', 'end', 'abort'),
    path: fc.constantFrom(...paths),
    value: fc.string({ maxLength: 3 }),
    transaction: fc.nat({ max: 3 }),
  });

  it('end as the model says, and leave what it says', function () {
    this.timeout(60000);
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const { dom0, hypervisor, machine } = testbed(LIMITS, MEMORY_BYTES);
        const { xenstore } = dom0;
        const model = new StoreModel();
        const open: { id: number; model: ModelTransaction }[] = [];
        for (const { kind, path, value, transaction } of actions) {
          // The fourth stands for none.
          const within = open[transaction];
          const view = within?.model;
          // What one sees that was overtaken is nobody's business: it has to fail in the end.
          const overtaken = view !== undefined && model.isOvertaken(view);
          if (kind === 'start' && open.length < 3) {
            open.push({ id: xenstore.transactionStart(), model: model.start() });
          } else if ((kind === 'end' || kind === 'abort') && within !== undefined) {
            open.splice(transaction, 1);
            const expected = kind === 'end' ? model.end(within.model) : 'ok';
            expect(outcome(() => xenstore.transactionEnd(within.id, kind === 'abort'))).to.equal(expected);
          } else if (overtaken) {
            continue;
          } else if (kind === 'read') {
            expect(xenstore.tryRead(path, within?.id)).to.equal(model.read(path, view));
          } else if (kind === 'directory') {
            let names: string[] | undefined;
            outcome(() => (names = xenstore.directory(path, within?.id)));
            expect(names).to.deep.equal(model.directory(path, view));
          } else if (kind === 'write') {
            xenstore.write(path, value, within?.id);
            model.write(path, value, view);
          } else if (kind === 'mkdir') {
            xenstore.mkdir(path, within?.id);
            if (model.read(path, view) === undefined) model.write(path, '', view);
          } else if (kind === 'rm') {
            const expected = model.rm(path, view);
            expect(outcome(() => xenstore.rm(path, within?.id))).to.equal(expected);
          }
        }
        // A thread that joins late sees the same.
        const late = EmulatedHypervisor.join(hypervisor.handle, machine);
        for (const store of [xenstore, late.domain(0).xenstore]) {
          for (const path of paths) expect(store.tryRead(path), path).to.equal(model.read(path));
        }
      }),
      { numRuns: RUNS },
    );
  });
});
