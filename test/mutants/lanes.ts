/**
 * Work done in several copies of the tree at once. A test file runs in one of them at a time, since some
 * change what the machine has only once.
 *
 * @module
 */

/** Gives each item to the next free lane, in order but for items whose test files run just now. */
export async function runInLanes<Lane, Item extends { readonly tests: readonly string[] }>(
  lanes: readonly Lane[],
  items: readonly Item[],
  work: (lane: Lane, item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const free = [...lanes];
  const busy = new Set<string>();
  const running = new Set<Promise<void>>();
  for (;;) {
    const at = free.length === 0 ? -1 : waiting.findIndex(({ tests }) => !tests.some((one) => busy.has(one)));
    const item = waiting[at];
    const lane = item === undefined ? undefined : free.pop();
    if (item === undefined || lane === undefined) {
      if (running.size === 0) return;
      await Promise.race(running);
      continue;
    }
    waiting.splice(at, 1);
    for (const one of item.tests) busy.add(one);
    const done = work(lane, item).finally(() => {
      for (const one of item.tests) busy.delete(one);
      free.push(lane);
      running.delete(done);
    });
    running.add(done);
  }
}
