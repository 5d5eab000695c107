/**
 * Ordered access to words that two threads share.
 *
 * V8 calls a built-in for every method of `Atomics`: 8 ns, where a plain access costs 1 ns and a post and poll would make a dozen.
 * On processors with total store order (x86) a plain load has acquire semantics and a plain store has release semantics (Intel
 * SDM volume 3, 9.2.2), and V8 neither removes nor reorders accesses to typed arrays over shared memory. Everywhere else
 * these are the atomic operations. Neither form is a full fence: where a thread stores one word and then looks at another
 * (arming a CQ, releasing the lock, posting a receive) the store is an `Atomics.store` on every processor.
 */

const TOTAL_STORE_ORDER = process.arch === 'x64' || process.arch === 'ia32';

// One function for each processor, not one that asks which: so small that V8 inlines it wherever it is called (27 bytes of bytecode).

/** Loads a word; later accesses of this thread see what was stored before the value was. */
export const loadOrdered: (words: Int32Array, index: number) => number = TOTAL_STORE_ORDER
  ? (words, index) => words[index]
  : (words, index) => Atomics.load(words, index);

/** Stores a word; who loads it by {@link loadOrdered} sees what this thread stored before. */
export const storeOrdered: (words: Int32Array, index: number, value: number) => void = TOTAL_STORE_ORDER
  ? (words, index, value) => {
      words[index] = value;
    }
  : (words, index, value) => {
      Atomics.store(words, index, value);
    };
