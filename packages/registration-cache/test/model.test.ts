/** The cache beside a model that keeps a list and looks at every byte of the rules. */
import { AccessFlags } from '@openverbs/verbs';
import type { DmaBuffer, ProtectionDomain } from '@openverbs/verbs';
import { expect } from 'chai';
import fc from 'fast-check';

import { type CachedRegistration, RegistrationCache } from '../src/index.ts';
import { failure } from './failure.ts';
import { type FakeDevice, fakeDevice, open } from './fake-device.ts';

const LIMITS = { entriesMax: 6, idleEntriesMax: 3, idleBytesMax: 60 };
const BUFFERS = 2;
const PDS = 2;
const ACCESSES = [0, AccessFlags.LOCAL_WRITE];

/** A registration as the model sees it. */
interface Registered {
  readonly pd: number;
  readonly buffer: DmaBuffer;
  readonly access: number;
  readonly start: number;
  readonly end: number;
  references: number;
}

/** The rules, without any of the cache's means. */
class Model {
  readonly cached: Registered[] = [];
  /** The one that was given back first comes first. */
  readonly idle: Registered[] = [];
  readonly uncached: Registered[] = [];
  evictions = 0;
  maxMr = 5;

  get live(): number {
    return this.cached.length + this.uncached.length;
  }

  /** Null for ENOMEM. */
  register(wanted: Omit<Registered, 'references'>): Registered | null {
    const containing = this.cached.filter(
      ({ pd, buffer, access, start, end }) =>
        pd === wanted.pd &&
        buffer === wanted.buffer &&
        access === wanted.access &&
        start <= wanted.start &&
        end >= wanted.end,
    );
    const [hit] = containing.sort((a, b) => b.start - a.start || this.cached.indexOf(b) - this.cached.indexOf(a));
    if (hit !== undefined) {
      hit.references++;
      remove(this.idle, hit);
      return hit;
    }
    if (this.live >= this.maxMr) {
      for (const each of this.idle.splice(0)) remove(this.cached, each);
      if (this.live >= this.maxMr) return null;
    }
    const made = { ...wanted, references: 1 };
    if (this.cached.length >= LIMITS.entriesMax) this.#evict();
    (this.cached.length >= LIMITS.entriesMax ? this.uncached : this.cached).push(made);
    return made;
  }

  release(used: Registered): void {
    used.references--;
    if (used.references > 0) return;
    if (!this.cached.includes(used)) return remove(this.uncached, used);
    this.idle.push(used);
    if (used.end - used.start > LIMITS.idleBytesMax) {
      this.evictions++;
      remove(this.idle, used);
      remove(this.cached, used);
    }
    const bytes = () => this.idle.reduce((sum, { start, end }) => sum + end - start, 0);
    while (this.idle.length > LIMITS.idleEntriesMax || bytes() > LIMITS.idleBytesMax) this.#evict();
  }

  invalidate(concerns: (each: Registered) => boolean): void {
    for (const each of this.idle.filter(concerns)) {
      remove(this.idle, each);
      remove(this.cached, each);
    }
  }

  #evict(): void {
    const oldest = this.idle.shift();
    if (oldest === undefined) return;
    this.evictions++;
    remove(this.cached, oldest);
  }
}

interface Real {
  readonly fake: FakeDevice;
  readonly cache: RegistrationCache;
  readonly pds: ProtectionDomain[];
  readonly buffers: DmaBuffer[];
  readonly used: { readonly registration: CachedRegistration; readonly model: Registered }[];
}

type Step = (real: Real, model: Model) => void;

const register = fc
  .tuple(
    fc.nat(PDS - 1),
    fc.nat(BUFFERS - 1),
    fc.constantFrom(...ACCESSES),
    fc.nat(40),
    fc.integer({ min: 1, max: 70 }),
  )
  .map(([pd, at, access, start, length]): Step => {
    return function register(real, model) {
      const buffer = real.buffers[at];
      const expected = model.register({ pd, buffer, access, start, end: start + length });
      const call = () => real.cache.regMr(real.pds[pd], buffer.bytes.subarray(start, start + length), access);
      if (expected === null) {
        expect(failure(call).code).to.equal('ENOMEM');
        return;
      }
      const registration = call();
      expect(registration).to.include({ addr: buffer.addr + start, length });
      expect(registration.mr).to.include({ addr: buffer.addr + expected.start, length: expected.end - expected.start });
      real.used.push({ registration, model: expected });
    };
  });
const release = fc.nat().map((which): Step => {
  return function release(real, model) {
    if (real.used.length === 0) return;
    const [{ registration, model: expected }] = real.used.splice(which % real.used.length, 1);
    registration.release();
    model.release(expected);
  };
});
const freeBuffer = fc.nat(BUFFERS - 1).map((at): Step => {
  return function freeBuffer(real, model) {
    const buffer = real.buffers[at];
    model.invalidate((each) => each.buffer === buffer);
    if (real.used.some((each) => each.model.buffer === buffer)) {
      expect(failure(() => buffer.free()).code).to.equal('EBUSY');
      return;
    }
    buffer.free();
    real.buffers[at] = real.pds[0].context.allocBuf(128);
  };
});
const deallocPd = fc.nat(PDS - 1).map((at): Step => {
  return function deallocPd(real, model) {
    const { context } = real.pds[at];
    model.invalidate(({ pd }) => pd === at);
    if (real.used.some((each) => each.model.pd === at)) {
      expect(failure(() => real.pds[at].dealloc()).code).to.equal('EBUSY');
      return;
    }
    real.pds[at].dealloc();
    real.pds[at] = context.allocPd();
  };
});
const setRoom = fc.integer({ min: 1, max: 12 }).map((maxMr): Step => {
  return function setRoom({ fake }, model) {
    fake.maxMr = model.maxMr = maxMr;
  };
});

describe('the registration cache and its model', () => {
  it('agree after every step', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: register },
      { weight: 5, arbitrary: release },
      { weight: 1, arbitrary: freeBuffer },
      { weight: 1, arbitrary: deallocPd },
      { weight: 1, arbitrary: setRoom },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const fake = fakeDevice();
        const context = open(fake);
        const pds = Array.from({ length: PDS }, () => context.allocPd());
        const buffers = Array.from({ length: BUFFERS }, () => context.allocBuf(128));
        const real: Real = { fake, cache: new RegistrationCache(LIMITS), pds, buffers, used: [] };
        const model = new Model();
        fake.maxMr = model.maxMr;
        for (const each of steps) {
          each(real, model);
          agree(real, model);
        }
        for (const { registration } of real.used) registration[Symbol.dispose]();
        for (const each of [...real.pds, ...real.buffers]) each[Symbol.dispose]();
        expect(fake.regions.size).to.equal(0);
      }),
      { numRuns: 500 },
    );
  });
});

function agree({ cache, fake }: Real, model: Model): void {
  const idleBytes = model.idle.reduce((sum, { start, end }) => sum + end - start, 0);
  expect(fake.regions.size).to.equal(model.live);
  expect(cache.statistics).to.include({
    inUse: model.cached.length - model.idle.length,
    idle: model.idle.length,
    idleBytes,
    evictions: model.evictions,
    failures: 0,
  });
}

function remove<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}
