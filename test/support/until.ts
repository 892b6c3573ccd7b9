/** The one way in which tests wait for what another process, thread or callback does: for a condition. */

type Look<T> = () => T | Promise<T>;
type Found<T> = Exclude<T, undefined | null | false>;

/** How long a condition may take beside other tests. */
const TIMEOUT_MS = 10_000;
const POLL_MS = 5;

/** Waits until `look` gives something true, and gives it back. Throws after `timeoutMs`, naming `what`. */
export async function until<T>(
  ...[what, ...args]: [look: Look<T>, timeoutMs?: number] | [what: string, look: Look<T>, timeoutMs?: number]
): Promise<Found<T>> {
  if (typeof what !== "string") return poll(String(what), what, args[0] as number | undefined);
  const [look, timeoutMs] = args as [Look<T>, number?];
  return poll(what, look, timeoutMs);
}

/** Whether `work` is over within `timeoutMs`, however it ends. */
export async function settles(work: Promise<unknown>, timeoutMs = TIMEOUT_MS): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), timeoutMs);
  const over = work.then(
    () => true,
    () => true,
  );
  const isOver = await Promise.race([over, late.promise]);
  clearTimeout(timer);
  return isOver;
}

async function poll<T>(what: string, look: Look<T>, timeoutMs = TIMEOUT_MS): Promise<Found<T>> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found) return found as Found<T>;
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await Bun.sleep(POLL_MS);
  }
}
