/** A hypervisor with dom0 and guests, on this thread. */
import { expect } from 'chai';
import { hostClock, Machine } from '@openverbs/machine';
import { EmulatedHypervisor, HypervisorError } from '../../src/index.ts';
import type { Domain, HypervisorErrorCode, HypervisorLimits } from '../../src/index.ts';

export const PAGE = 4096;

export interface Testbed {
  readonly machine: Machine;
  readonly hypervisor: EmulatedHypervisor;
  readonly dom0: Domain;
  readonly guest: Domain;
  readonly other: Domain;
}

export function testbed(limits: Partial<HypervisorLimits> = {}, memoryBytes = 256 * 2 ** 20): Testbed {
  const machine = Machine.create({ memoryBytes });
  const hypervisor = EmulatedHypervisor.create(machine, { xenstoreBytesMax: 2 ** 20, ...limits });
  const guest = (name: string): Domain => hypervisor.domain(hypervisor.createDomain({ name, memoryBytes: 256 * PAGE }));
  return { machine, hypervisor, dom0: hypervisor.domain(0), guest: guest('guest'), other: guest('other') };
}

/** A deadline that a test which works never meets. */
export function soon(): number {
  return hostClock.nowNs() + 5e9;
}

/** Expects a {@link HypervisorError} of a code, whose message or hint matches. */
export function expectError(action: () => unknown, code: HypervisorErrorCode, text = /./, what = ''): void {
  let caught: unknown;
  try {
    action();
  } catch (error) {
    caught = error;
  }
  expect(caught, `${what} expected ${code}`).to.be.instanceOf(HypervisorError);
  const error = caught as HypervisorError;
  expect(error.code, `${what} ${error.message}`).to.equal(code);
  expect(`${error.message} ${error.hint}`, what).to.match(text);
}
