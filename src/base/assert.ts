/** A failed assertion: a bug of ours, never bad input. It ends the connection or the process. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws an `AssertionError` unless `condition` holds. `belief` states the invariant that was broken. */
export function assert(condition: unknown, belief: string): asserts condition {
  if (!condition) throw new AssertionError(belief);
}

/** Ends a switch over a closed union: it compiles only when every case is handled, and throws if reached. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}
