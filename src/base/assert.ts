/** A failed assertion: a bug of ours, never bad input. It ends the connection or the process. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws when a thing we believe about our own code is not so. */
export function assert(condition: unknown, belief: string): asserts condition {
  if (!condition) throw new AssertionError(belief);
}

/** Ends a switch over a closed union; compiles only when every case is handled. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}
