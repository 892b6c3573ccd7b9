/**
 * Release signing keys that this machine trusts: the built-in ones, and those that root may have added.
 * Management cannot add any.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { RELEASE_KEYS } from "../../base/build-info.ts";
import { QfError } from "../../base/errors.ts";
import { readSmallFile } from "../../base/files.ts";

/** OpenSSH public keys, one a line. Lines that begin with # are ignored. */
export const ADDED_KEYS_FILE = "/etc/qufabric/release-keys";
const FILE_BYTES_MAX = 16 * 1024;

/** Returns the trusted keys. Throws ERR_PERMISSION if another user than root may have written the file. */
export async function trustedReleaseKeys(
  path = ADDED_KEYS_FILE,
  builtIn: readonly string[] = RELEASE_KEYS,
): Promise<readonly string[]> {
  const found = await stat(path).catch(() => null);
  if (found === null) return builtIn;
  if (found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new QfError("ERR_PERMISSION", `${path} could have been written by somebody else than root`, {
      hint: `run chown root ${path} && chmod 644 ${path} if its keys are right`,
    });
  }
  const lines = (await readSmallFile(path, FILE_BYTES_MAX)).split("\n").map((line) => line.trim());
  return [...builtIn, ...lines.filter((line) => line !== "" && !line.startsWith("#"))];
}
