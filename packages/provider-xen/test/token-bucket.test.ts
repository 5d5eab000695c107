import { expect } from 'chai';
import { TokenBucket } from '../src/backend/token-bucket.ts';

const SECOND_NS = 1e9;
const RATE = 1_000_000;

function limited(burst = 0, atNs = 0): TokenBucket {
  const bucket = new TokenBucket();
  bucket.set(RATE, burst, atNs);
  return bucket;
}

describe('a token bucket', () => {
  it('lets everything go without a rate', () => {
    const bucket = new TokenBucket();
    bucket.take(1e15);
    expect(bucket.ready(0)).to.equal(true);
    expect(bucket.readyAtNs(5)).to.equal(5);
  });

  it('begins empty and fills at its rate', () => {
    const bucket = limited();
    expect(bucket.ready(0)).to.equal(false);
    expect(bucket.ready(0.01 * SECOND_NS)).to.equal(true);
    bucket.take(10_000);
    expect(bucket.ready(0.01 * SECOND_NS)).to.equal(false);
  });

  it('holds no more than its burst, however long nothing goes', () => {
    const bucket = limited(5000);
    expect(bucket.ready(1000 * SECOND_NS)).to.equal(true);
    bucket.take(5000);
    expect(bucket.ready(1000 * SECOND_NS)).to.equal(false);
  });

  it('has a burst of 64 KiB at least when nobody says', () => {
    const bucket = limited();
    expect(bucket.ready(1000 * SECOND_NS)).to.equal(true);
    bucket.take(65535);
    expect(bucket.ready(1000 * SECOND_NS)).to.equal(true);
    bucket.take(1);
    expect(bucket.ready(1000 * SECOND_NS)).to.equal(false);
  });

  it('goes into debt for what is larger than the burst, and says when that is paid', () => {
    const bucket = limited(1000);
    const startNs = SECOND_NS;
    expect(bucket.ready(startNs)).to.equal(true);
    bucket.take(1000 + RATE);
    const atNs = bucket.readyAtNs(startNs);
    expect(atNs).to.be.closeTo(startNs + SECOND_NS, 2000);
    expect(bucket.ready(atNs - 2000)).to.equal(false);
    expect(bucket.ready(atNs)).to.equal(true);
  });

  it('keeps no more than a new burst of what was saved', () => {
    const bucket = limited(RATE);
    expect(bucket.ready(SECOND_NS)).to.equal(true);
    bucket.set(RATE, 1000, SECOND_NS);
    bucket.take(1000);
    expect(bucket.ready(SECOND_NS)).to.equal(false);
  });

  it('takes a new rate from then on, and keeps what was saved', () => {
    const bucket = limited(RATE);
    bucket.set(2 * RATE, RATE, 0.5 * SECOND_NS);
    bucket.take(RATE / 2);
    expect(bucket.ready(0.5 * SECOND_NS)).to.equal(false);
    bucket.take(RATE);
    expect(bucket.readyAtNs(0.5 * SECOND_NS)).to.be.closeTo(SECOND_NS, 2000);
    bucket.set(0, 0, 0.6 * SECOND_NS);
    expect(bucket.ready(0.6 * SECOND_NS)).to.equal(true);
  });
});
