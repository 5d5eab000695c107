import { expect } from 'chai';
import { Errno, errnoName, inVerb, VerbsError } from '../src/errors.ts';
import { errorOf } from './support/fake-provider.ts';

describe('VerbsError', () => {
  it('carries code, errno, verb, hint, details and cause', () => {
    const cause = new Error('deep down');
    const error = new VerbsError({
      code: 'ENOMEM',
      verb: 'ibv_reg_mr',
      message: 'no room',
      hint: 'make some',
      details: { limit: 7 },
      cause,
    });
    expect(error).to.be.instanceOf(Error);
    expect(error).to.include({ name: 'VerbsError', code: 'ENOMEM', errno: 12, verb: 'ibv_reg_mr', hint: 'make some' });
    expect(error.message).to.equal('ibv_reg_mr: no room');
    expect(error.details).to.deep.equal({ limit: 7 });
    expect(error.cause).to.equal(cause);
  });

  it('recognises its kind from any copy of the package', () => {
    const foreign = Object.assign(new Error('x'), { [Symbol.for('openverbs.VerbsError')]: true });
    expect(VerbsError.is(new VerbsError({ code: 'EIO', message: 'x' }))).to.equal(true);
    expect(VerbsError.is(foreign)).to.equal(true);
    for (const other of [new Error('x'), null, undefined, 'EIO', { code: 'EIO' }]) {
      expect(VerbsError.is(other)).to.equal(false);
    }
  });

  it('knows the names of numbers', () => {
    for (const [name, errno] of Object.entries(Errno)) expect(errnoName(errno)).to.equal(name);
    expect(errnoName(9999)).to.equal('EIO');
  });

  it('gets the name of the verb when the provider gave none', () => {
    const raw = new VerbsError({ code: 'EBUSY', message: 'in use', hint: 'wait', details: { by: 1 } });
    const error = errorOf(() =>
      inVerb('ibv_x', () => {
        throw raw;
      }),
    );
    expect(error).to.include({ verb: 'ibv_x', message: 'ibv_x: in use', hint: 'wait', code: 'EBUSY' });
    expect(error.cause).to.equal(raw);
    expect(error.details).to.deep.equal({ by: 1 });
  });

  it('leaves other errors alone', () => {
    const named = new VerbsError({ code: 'EIO', verb: 'ibv_y', message: 'broken' });
    const bug = new TypeError('a bug');
    for (const thrown of [named, bug]) {
      expect(() =>
        inVerb('ibv_x', () => {
          throw thrown;
        }),
      ).to.throw(thrown);
    }
  });
});
