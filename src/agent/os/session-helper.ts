/**
 * The session helper: a small native program inside this executable (`../session-helper/`) that holds
 * sessions and becomes users. Where it cannot run, this executable does the same (child.ts,
 * monitor-child.ts).
 *
 * It runs from sealed memory, so no file has to be written, found or trusted.
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
/** No further seals, resizing or writing. */
const SEALS = 0b1111;

/** Roles of the helper: a user program's child, a session's monitor, or the fork server. */
export type HelperPart = "child" | "monitor" | "server";

/** Undefined: not looked up yet. Null: this system cannot run it. */
let known: string | null | undefined;

/** Path of the helper. Null: this system cannot run one. Looked up once. */
export function helperPath(): string | null {
  known ??= find();
  return known;
}

/** Starts the helper in a session of its own, with an empty environment. */
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

/** When run from source, build.ts has put it here. */
function builtBeside(): string | null {
  const path = Bun.fileURLToPath(new URL("../../../dist/session-helper", import.meta.url));
  return existsSync(path) ? path : null;
}

/**
 * Path of the program `base64` in sealed memory, valid while this process lives. Null: it is empty, or the
 * system has no such memory.
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

/** The system may forbid programs in memory, or have another C library. */
function isUsable(path: string): boolean {
  try {
    return Bun.spawnSync([path, "probe"], { env: {}, stdio: ["ignore", "ignore", "ignore"] }).success;
  } catch {
    return false;
  }
}
