import type { Machine } from '@openverbs/machine';

/** How often an action takes the machine's lock, or enters it again. */
export function lockEntries({ lock }: Machine, action: () => unknown): number {
  let entries = 0;
  const original = lock.enter;
  lock.enter = () => {
    entries++;
    return original.call(lock);
  };
  try {
    action();
  } finally {
    lock.enter = original;
  }
  return entries;
}
