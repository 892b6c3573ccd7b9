/**
 * What a piece of work leaves behind in the memory of this process.
 *
 * Resident memory moves by tens of megabytes by itself: the files that ran before leave garbage, and the
 * allocator keeps or returns it as it likes. A leak is in every repetition, noise is not; so work that can be
 * repeated is measured several times, and the least counts.
 */
const MIB = 1024 * 1024;

/** MiB of resident memory that `run` leaves behind. */
export async function growth(run: () => Promise<void>): Promise<number> {
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  await run();
  Bun.gc(true);
  return (process.memoryUsage.rss() - before) / MIB;
}

/** The least that one of `times` repetitions of `run` leaves behind. */
export async function leastGrowth(times: number, run: () => Promise<void>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) least = Math.min(least, await growth(run));
  return least;
}
