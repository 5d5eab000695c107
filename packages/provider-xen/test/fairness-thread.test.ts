/**
 * Guests that share one HCA, with the device domain on a thread of its own. No time is looked at: the order in which messages arrive at one receiver
 * is the order in which the back-end let them go.
 */
import { expect } from 'chai';
import { backendPath, ShareKey } from '../src/protocol/handshake.ts';
import { openXen } from './support/open-xen.ts';
import { MessageSender, Receiver } from './support/receiver.ts';

const TIMEOUT_MS = 60_000;
const TOLERANCE = 0.05;
/** What a guest of weight 1 may send in a round. */
const QUANTUM_BYTES = 65536;
const ROUNDS = 24;
/** Of each message of a guest; its weight comes from its place. */
const SIZES = [4096, 8192, 16384, 32768];
const WEIGHTS = SIZES.map((_, n) => n + 1);
const COUNTS = SIZES.map((size, n) => (ROUNDS * WEIGHTS[n] * QUANTUM_BYTES) / size);
const TOTAL = COUNTS.reduce((sum, count) => sum + count, 0);

describe('guests that share one HCA, the device domain on a thread', function () {
  this.timeout(TIMEOUT_MS);

  it('get shares by weight, whatever the size of their messages', () => {
    // A byte a second: one message of each goes, and puts its guest into debt for the rest of the test.
    const guests = [{ mode: 'bypass' as const }, ...WEIGHTS.map((weight) => ({ weight, rateBytesPerS: 1 }))];
    using xen = openXen({ mode: 'basic', placement: 'thread', guests });
    const [first, ...others] = xen.devices;
    const receiver = new Receiver(first, SIZES.length, TOTAL, Math.max(...SIZES));
    others.forEach((device, n) => {
      new MessageSender(device, receiver.qps[n], COUNTS[n], SIZES[n]).post(COUNTS[n]);
    });
    receiver.take(WEIGHTS.length);
    expect(receiver.order.toSorted()).to.deep.equal(WEIGHTS.map((_, n) => n));
    // In one transaction: the back-end learns of all at once.
    const { xenstore } = xen.dom0;
    xenstore.transaction((transaction) => {
      for (const domid of xen.domids) xenstore.write(`${backendPath(0, domid, 0)}/${ShareKey.RATE}`, '0', transaction);
    });
    receiver.take(TOTAL);
    // Up to where the first of them has nothing left.
    const last = Math.min(...COUNTS.map((_, n) => receiver.order.lastIndexOf(n)));
    const contended = receiver.order.slice(WEIGHTS.length, last);
    const bytes = SIZES.map((size, n) => size * contended.filter((guest) => guest === n).length);
    const [ofAll, ofWeights] = [bytes, WEIGHTS].map((each) => each.reduce((sum, one) => sum + one, 0));
    expect(ofAll, 'bytes of all while all had something to send').to.be.above((ROUNDS - 4) * QUANTUM_BYTES * ofWeights);
    WEIGHTS.forEach((weight, n) => {
      const fair = (ofAll * weight) / ofWeights;
      expect(bytes[n], `guest of weight ${weight}`).to.be.within(fair * (1 - TOLERANCE), fair * (1 + TOLERANCE));
    });
  });
});
