/** Guests in bypass that share one HCA: the device serves their doorbells by itself, without the back-end, and knows no guests. */
import { expect } from 'chai';
import { openXen } from './support/open-xen.ts';
import { MessageSender, Receiver } from './support/receiver.ts';

const BYTES = 256;
/** Posts of one guest before the device looks, and messages of each. */
const POSTS = 3;
const MESSAGES = 16;

/** Whose turns they were, one after the other, and how many messages went in each. */
function turnsOf(order: readonly number[]): { readonly sender: number; readonly messages: number }[] {
  const turns: { sender: number; messages: number }[] = [];
  for (const sender of order) {
    const last = turns.at(-1);
    if (last?.sender === sender) last.messages++;
    else turns.push({ sender, messages: 1 });
  }
  return turns;
}

describe('guests in bypass', () => {
  for (const senders of [2, 7]) {
    it(`${senders} of them have one turn each, in which the device takes all that was posted, whatever their weights`, () => {
      const guests = [{}, ...Array.from({ length: senders }, (_, n) => ({ weight: n + 1 }))];
      using xen = openXen({ mode: 'bypass', guests });
      const [first, ...others] = xen.devices;
      const each = POSTS * MESSAGES;
      const receiver = new Receiver(first, senders, 2 * senders * each, BYTES);
      const all = others.map((device, n) => new MessageSender(device, receiver.qps[n], 2 * each, BYTES));
      for (const wave of [1, 2]) {
        // Whoever has the lock keeps the device from looking, so doorbells gather in the pages of the UARs.
        const { lock } = xen.machine;
        lock.acquire();
        for (let post = 0; post < POSTS; post++) for (const sender of all) sender.post(MESSAGES);
        lock.release();
        receiver.take(wave * senders * each);
      }
      const turns = turnsOf(receiver.order);
      const once = all.map((_, sender) => ({ sender, messages: each }));
      expect(turns).to.deep.equal([...once, ...once]);
    });
  }
});
