/**
 * The session helper: a small native program inside this executable (`../session-helper/`), which holds
 * sessions and becomes users. Where it cannot run, this executable does the same itself (child.ts,
 * monitor-child.ts).
 *
 * It is started from sealed memory, so no file has to be written, found or trusted.
 *
 * @module
 */
import { ptr } from "bun:ffi";
import { closeSync, existsSync, writeSync } from "node:fs";
import { SESSION_HELPER } from "../../base/build-info.ts";
import { createCLibrary } from "../../base/c-library.ts";
import { isCompiled } from "../../base/own-command.ts";

const SYMBOLS = {
  memfd_create: { args: ["cstring", "u32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
} as const;
const libc = createCLibrary(SYMBOLS);

// <linux/memfd.h>, <linux/fcntl.h>.
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
/** No more seals, no other size, no writing. */
const SEALS = 0b1111;

/** What the child of a user's program, a session's monitor, and what forks monitors are called with. */
export type HelperPart = "child" | "monitor" | "server";

/** Undefined until it was looked for; null: this system cannot run it. */
let known: string | null | undefined;

/** Path of the helper. Null: there is none that this system can run. Looked for once. */
export function helperPath(): string | null {
  known ??= find();
  return known;
}

/** Has the helper started, in a session of its own, with nothing of our environment. */
export function startHelper(
  path: string,
  part: HelperPart,
  stdio: readonly (number | "ignore")[],
  words: readonly string[] = [],
): Bun.Subprocess {
  return Bun.spawn([path, part, ...words], {
    argv0: "qf-session",
    stdio: stdio as unknown as ["ignore", "ignore", "ignore"],
    cwd: "/",
    env: {},
    detached: true,
  });
}

function find(): string | null {
  if (process.platform !== "linux") return null;
  const path = isCompiled() ? unpackHelper(SESSION_HELPER) : builtBeside();
  return path !== null && isUsable(path) ? path : null;
}

/** Beside the sources it is where build.ts leaves it. */
function builtBeside(): string | null {
  const path = Bun.fileURLToPath(new URL("../../../dist/session-helper", import.meta.url));
  return existsSync(path) ? path : null;
}

/**
 * Path of the program `base64` in memory that nobody can change any more, good for as long as this process
 * lives. Null: there is none, or the system has no such memory.
 */
export function unpackHelper(base64: string): string | null {
  if (base64 === "") return null;
  const fd = libc().memfd_create(ptr(Buffer.from("qf-session\0")), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return null;
  const bytes = Buffer.from(base64, "base64");
  if (writeSync(fd, bytes) === bytes.length && libc().fcntl(fd, F_ADD_SEALS, SEALS) === 0) {
    return `/proc/${process.pid}/fd/${fd}`;
  }
  closeSync(fd);
  return null;
}

/** Systems may forbid programs in memory, or have another C library. */
function isUsable(path: string): boolean {
  try {
    return Bun.spawnSync([path, "probe"], { env: {}, stdio: ["ignore", "ignore", "ignore"] }).success;
  } catch {
    return false;
  }
}
