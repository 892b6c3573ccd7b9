/** The code of a failure: what tests assert instead of its sentence. */
import { isQfError } from "../../src/base/errors.ts";

/** Code of what `work` throws. Undefined: nothing. What is no failure of ours is thrown on. */
export function codeThrownBy(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (isQfError(error)) return error.code;
    throw error;
  }
}
