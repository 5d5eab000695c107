// tsyringe refuses to load before this one.
import 'reflect-metadata';
import { expect } from 'chai';
import { container } from 'tsyringe';

import { resolveWith } from '../src/container.ts';
import { openVerbs } from '../src/index.ts';
import { PARTS } from '../src/parts.ts';
import { fakeProvider } from './fake-provider.ts';

describe('the container', () => {
  it("sees nothing of tsyringe's global one, and leaves nothing there", () => {
    const fake = fakeProvider('fake');
    const before = Object.values(PARTS).map(({ token }) => container.isRegistered(token, true));
    expect(before).to.deep.equal(Object.values(PARTS).map(() => false));
    for (const { token } of Object.values(PARTS))
      container.register(token, { useFactory: () => expect.fail('global') });
    try {
      using verbs = openVerbs({ provider: fake.definition });
      verbs.device().open();
      expect(fake.environments[0].clock).to.equal(undefined);
    } finally {
      container.reset();
    }
  });

  it('has a token for each part, which other copies of the package share', () => {
    for (const { token } of Object.values(PARTS)) {
      expect(Symbol.keyFor(token)).to.match(/^openverbs\./);
    }
  });

  it('makes a new object for each call, by itself', () => {
    class Empty {}
    container.register(Empty, { useFactory: () => expect.fail('global') });
    try {
      const made = resolveWith({}, Empty);
      expect(made).to.be.instanceOf(Empty);
      expect(resolveWith({}, Empty)).not.to.equal(made);
    } finally {
      container.reset();
    }
  });
});
