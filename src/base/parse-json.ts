/**
 * JSON that may be damaged. A separate file without node:fs/promises: the command that ssh(1) runs at every
 * connection needs nothing else of `files.ts`.
 *
 * @module
 */

/** Parses `text` as JSON. Returns undefined, which no schema accepts, when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
