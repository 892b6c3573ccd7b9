/**
 * File ownership and modes on Unix.
 *
 * @module
 */
import { type Stats, statSync } from "node:fs";

/** Who may read a file or enter a folder. */
export interface Ownership {
  /**
   * Why a file or folder is not private to this user: another user owns it, or others have access. Null when
   * it is private. `found` is the result of an earlier stat of `path`.
   */
  intruder(path: string, found?: Stats): "owner" | "open" | null;
  /** Closes a newly created folder to others where its mode does not. False when the system refuses. */
  closeToOthers(path: string): boolean;
  /** What a person can do about a folder open to others. */
  remedy(path: string): string;
}

/** Ownership by uid and mode; a new folder's mode already closes it. */
export const unixOwnership: Ownership = {
  intruder(path, found = statSync(path)) {
    if (found.uid !== process.getuid?.()) return "owner";
    return (found.mode & 0o077) === 0 ? null : "open";
  },
  closeToOthers: () => true,
  remedy: (path) => `chmod 700 ${path}`,
};
