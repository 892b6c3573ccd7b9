/**
 * Where folders of tests are made: in memory where there is enough of it, since databases wait for the disk
 * at each of their transactions, and many tests do little else.
 */
import { readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";

const IN_MEMORY = "/dev/shm";
/** Far more than all tests hold at once; a container's usual 64 MiB are not. */
const FREE_BYTES_MIN = 2 * 1024 ** 3;

/** `/dev/shm`, or where it is absent, small, or nothing may be executed: the usual folder. */
export const FOLDER_FOR_TESTS = isUsable() ? IN_MEMORY : tmpdir();

function isUsable(): boolean {
  // A person who names a folder means it.
  if (process.env.TMPDIR !== undefined) return false;
  try {
    const { bavail, bsize } = statfsSync(IN_MEMORY);
    const mount = readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" "))
      .findLast(([, path]) => path === IN_MEMORY);
    const [, , type, options = ""] = mount ?? [];
    return type === "tmpfs" && !/\b(?:noexec|ro)\b/.test(options) && bavail * bsize >= FREE_BYTES_MIN;
  } catch {
    return false;
  }
}
