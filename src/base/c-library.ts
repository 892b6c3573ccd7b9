/**
 * The C library of this system by bun:ffi, for the few calls that Bun does not offer.
 *
 * @module
 */
import { dlopen, type FFIFunction } from "bun:ffi";

/** glibc under its one name; musl under the names that its distributions use. */
const LINUX = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libc.so"];

/** The calls of a C library that was opened with `Symbols`. */
export type CLibrary<Symbols extends Record<string, FFIFunction>> = ReturnType<
  typeof dlopen<Symbols>
>["symbols"];

/** Opens the C library; callers keep what they get. Undefined: none of this system has all of `symbols`. */
export function openCLibrary<const Symbols extends Record<string, FFIFunction>>(
  symbols: Symbols,
): CLibrary<Symbols> | undefined {
  for (const name of process.platform === "darwin" ? ["libSystem.B.dylib"] : LINUX) {
    try {
      return dlopen(name, symbols).symbols;
    } catch {
      // The next name may be this system's.
    }
  }
  return undefined;
}
