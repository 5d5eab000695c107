import { expect } from 'chai';
import fc from 'fast-check';
import { BasicSlots, BasicSrqSlots, indexOf, kindOf, SlotKind, srqNumberOf } from '../src/frontend/basic-slots.ts';

/** As a poll does it. */
function complete({ slots }: BasicSlots, number: number): number {
  const index = indexOf(number);
  slots.tail = (index + 1) | 0;
  return slots.wrIds[index & slots.mask];
}

describe('slots of basic queues', () => {
  it('a completion retires what was posted before it, and gives the wrId back', () => {
    const slots = new BasicSlots(3, SlotKind.SEND);
    const numbers = [7, 8, 2 ** 50].map((wrId) => slots.push(wrId));
    expect(slots.errno).to.equal(12);
    expect(complete(slots, numbers[1])).to.equal(8);
    expect(slots.errno).to.equal(0);
    slots.push(9);
    slots.push(10);
    expect(slots.errno, 'one is outstanding, two are new').to.equal(12);
    expect(complete(slots, numbers[2])).to.equal(2 ** 50);
  });

  it('counts on over 2^31', () => {
    const slots = new BasicSlots(2, SlotKind.RECV);
    for (let n = 0; n < 5; n++) expect(complete(slots, slots.push(n))).to.equal(n);
    const number = SlotKind.RECV * 2 ** 32 + 0xffffffff;
    expect([indexOf(number), kindOf(number)]).to.deep.equal([-1, SlotKind.RECV]);
  });

  it('a post that was refused takes no slot', () => {
    const slots = new BasicSlots(1, SlotKind.SEND);
    slots.push(1);
    slots.undo();
    expect(slots.errno).to.equal(0);
    expect(complete(slots, slots.push(2))).to.equal(2);
  });

  it('those of an SRQ are free in any order, once each, and more when it grows', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(6), { maxLength: 200 }), (steps) => {
        const slots = new BasicSrqSlots(4, 5);
        let max = 4;
        const posted = new Map<number, number>();
        steps.forEach((step, wrId) => {
          const [oldest] = posted.keys();
          const newest = [...posted.keys()].at(-1);
          if (step === 6 && max < 16) slots.grow((max += 3));
          else if (step > 3 && oldest !== undefined) {
            const number = step === 4 ? oldest : newest!;
            expect(slots.complete(indexOf(number))).to.equal(posted.get(number));
            expect(slots.complete(indexOf(number)), 'a second time').to.equal(0);
            posted.delete(number);
          } else if (slots.errno === 0) {
            const number = slots.push(wrId);
            expect([kindOf(number), srqNumberOf(number)]).to.deep.equal([SlotKind.SRQ, 5]);
            expect(posted.has(number)).to.equal(false);
            posted.set(number, wrId);
          }
          expect(slots.errno === 0).to.equal(posted.size < max);
        });
      }),
    );
  });
});
