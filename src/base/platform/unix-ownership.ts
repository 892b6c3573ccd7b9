/**
 * Owner and mode of files, as Unix has them.
 *
 * @module
 */
import { type Stats, statSync } from "node:fs";

/** Who may read a file or enter a folder. */
export interface Ownership {
  /**
   * What is wrong with a file or folder that is to be this person's alone: it belongs to somebody else, or is
   * open to others. Null: nothing. `found` is what the file system said of `path` already.
   */
  intruder(path: string, found?: Stats): "owner" | "open" | null;
  /** Closes a folder to others that was just made, where its mode does not. False: the system does not. */
  closeToOthers(path: string): boolean;
  /** What a person can do about a folder that is open. */
  remedy(path: string): string;
}

/** By uid and mode; a new folder is closed by its mode. */
export const unixOwnership: Ownership = {
  intruder(path, found = statSync(path)) {
    if (found.uid !== process.getuid?.()) return "owner";
    return (found.mode & 0o077) === 0 ? null : "open";
  },
  closeToOthers: () => true,
  remedy: (path) => `chmod 700 ${path}`,
};
