import { readFileSync } from "node:fs";

/**
 * The text of a small file of this system, under /proc, /sys or /etc. Empty where the file is not there or
 * not ours to read. Synchronous: handing such a read to another thread takes several times as long.
 */
export function readLocalText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
