/**
 * A folder entry as SSH_FXP_NAME carries it: name, long name and attributes.
 *
 * @module
 */
import type { Stats } from "node:fs";
import { ATTRIBUTES_BYTES } from "./attributes.ts";

export interface NamedFile {
  readonly name: Buffer;
  readonly longName: Buffer;
  /** Null: no attributes, as in answers to REALPATH and READLINK. */
  readonly stats: Stats | null;
}

/** Size of `file` in a NAME answer. */
export function namedFileBytes(file: NamedFile): number {
  return 8 + file.name.length + file.longName.length + (file.stats === null ? 4 : ATTRIBUTES_BYTES);
}
