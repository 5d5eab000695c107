import { expect } from 'chai';
import { HypervisorError } from '@openverbs/hypervisor';
import { VerbsError } from '@openverbs/verbs';
import { asVerbsError, toVerbsError } from '../src/hypervisor-errors.ts';
import { XenMachine } from './support/xen-machine.ts';

/** Every code of the hypervisor, and what a program is told. */
const CODES = {
  E2BIG: 'EINVAL',
  EACCES: 'EINVAL',
  EAGAIN: 'EINVAL',
  EBUSY: 'EBUSY',
  EEXIST: 'EEXIST',
  EINVAL: 'EINVAL',
  ENOENT: 'EINVAL',
  ENOMEM: 'ENOMEM',
  ENOSPC: 'ENOMEM',
  EPERM: 'EINVAL',
  ESRCH: 'EINVAL',
  ETIMEDOUT: 'ETIMEDOUT',
} as const;

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

describe('what the hypervisor refuses', () => {
  for (const [code, told] of Object.entries(CODES) as [keyof typeof CODES, string][]) {
    it(`with ${code} is told as ${told}, in its words`, () => {
      const refusal = new HypervisorError(code, 'what was wrong', 'what to do');
      const error = thrownBy(() =>
        asVerbsError(() => {
          throw refusal;
        }),
      );
      expect(VerbsError.is(error) && [error.code, error.message, error.hint, error.cause]).to.deep.equal([
        told,
        'what was wrong',
        'what to do',
        refusal,
      ]);
    });
  }

  it('has another hint where the caller knows more', () => {
    const hints = { ETIMEDOUT: 'start a thread' };
    expect(toVerbsError(new HypervisorError('ETIMEDOUT', '', 'wait'), hints)).to.have.property('hint', hints.ETIMEDOUT);
    expect(toVerbsError(new HypervisorError('EBUSY', '', 'wait'), hints)).to.have.property('hint', 'wait');
  });

  it('is all that is told anew: a fault stays one', () => {
    const fault = new TypeError('a fault');
    expect(toVerbsError(fault)).to.equal(fault);
  });

  it('is no lack of memory for a program that outlives its domain', () => {
    const xen = new XenMachine();
    try {
      const guest = xen.addGuest('basic');
      const context = xen.deviceOf(guest).open();
      xen.destroy(guest);
      expect(thrownBy(() => context.allocBuf(4096)))
        .to.include({ code: 'EINVAL' })
        .and.have.property('message')
        .that.matches(/domain \d+ cannot be used: it was destroyed/);
    } finally {
      xen.close();
    }
  });
});
