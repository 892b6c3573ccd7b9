/**
 * Access to the system's C library through bun:ffi, for the few calls that Bun does not offer.
 *
 * Each file that needs such calls opens the library with only its own symbols, at the first call: a process
 * pays for every symbol it opens.
 *
 * @module
 */
import { dlopen, type FFIFunction } from "bun:ffi";
import { QfError } from "./errors.ts";

/** glibc under its one name; musl under the names that its distributions use. */
const LINUX = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libc.so"];

/** The calls of a C library that was opened with `Symbols`. */
export type CLibrary<Symbols extends Record<string, FFIFunction>> = ReturnType<
  typeof dlopen<Symbols>
>["symbols"];

/** Opens the C library; callers keep it. Undefined when no library of this system has all of `symbols`. */
export function openCLibrary<const Symbols extends Record<string, FFIFunction>>(
  symbols: Symbols,
): CLibrary<Symbols> | undefined {
  for (const name of process.platform === "darwin" ? ["libSystem.B.dylib"] : LINUX) {
    try {
      return dlopen(name, symbols).symbols;
    } catch {
      // Try the next name.
    }
  }
  return undefined;
}

/**
 * Returns a function that opens the C library at its first call and returns the same calls from then on. It
 * throws the error of `failure` when the library cannot be opened, by default ERR_UNAVAILABLE.
 */
export function createCLibrary<const Symbols extends Record<string, FFIFunction>>(
  symbols: Symbols,
  failure: () => Error = () =>
    new QfError("ERR_UNAVAILABLE", "the C library of this system cannot be loaded"),
): () => CLibrary<Symbols> {
  let opened: CLibrary<Symbols> | undefined;
  return () => {
    opened ??= openCLibrary(symbols);
    if (opened === undefined) throw failure();
    return opened;
  };
}
