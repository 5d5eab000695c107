/** Each lane takes the next item when it is done with one, until one fails; the error is thrown when all have come to rest. */
export async function share<Lane, Item>(
  lanes: readonly Lane[],
  items: readonly Item[],
  work: (lane: Lane, item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const takeAll = async (lane: Lane): Promise<void> => {
    try {
      while (next < items.length) await work(lane, items[next++]);
    } catch (error) {
      next = items.length;
      throw error;
    }
  };
  const ends = await Promise.allSettled(lanes.map(takeAll));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
