import { expect } from 'chai';
import { EmulatedHypervisor } from '@openverbs/hypervisor';
import { Machine } from '@openverbs/machine';
import { DomainTable } from '../src/backend/domain-table.ts';

describe('what the front-ends of a domain have together', () => {
  const DOMID = 7;
  let machine: Machine;
  let table: DomainTable;
  /** A sweep fails of no domain here. */
  const failed = (_: number, error: unknown): void => {
    throw error as Error;
  };

  beforeEach(() => {
    machine = Machine.create();
    table = new DomainTable(EmulatedHypervisor.create(machine).domain(0), [], {});
  });
  afterEach(() => {
    machine.detach();
  });

  it('is one for all of them', () => {
    expect(table.of(DOMID)).to.equal(table.of(DOMID));
    expect(table.of(DOMID)).not.to.equal(table.of(DOMID + 1));
  });

  it('is kept while the domain has a front-end', () => {
    const before = table.of(DOMID);
    table.sweep(new Set([DOMID]), failed);
    expect(table.of(DOMID)).to.equal(before);
  });

  it('is forgotten when the domain has none, and nothing any more', () => {
    const before = table.of(DOMID);
    table.sweep(new Set([DOMID + 1]), failed);
    expect(table.of(DOMID)).not.to.equal(before);
  });
});
