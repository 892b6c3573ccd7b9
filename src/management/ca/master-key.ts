/**
 * The master key: 32 random bytes in a file of its own, which encrypt every private key of management at
 * rest. The database without this file is of no use for signing.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { QfError } from "../../base/errors.ts";

const MASTER_KEY_BYTES = 32;

/** Creates the file with mode 0600. Throws ERR_ALREADY_INITIALISED if the path exists. */
export async function createMasterKey(path: string): Promise<Uint8Array> {
  const key = randomBytes(MASTER_KEY_BYTES);
  let file: FileHandle;
  try {
    file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
      throw new QfError("ERR_ALREADY_INITIALISED", `there is a master key at ${path} already`, {
        hint: "keep it: without it the keys in the database cannot be read",
        cause,
      });
    }
    throw new QfError("ERR_PERMISSION", `the master key ${path} cannot be created`, { cause });
  }
  try {
    await file.chmod(0o600);
    await file.writeFile(key);
    await file.sync();
  } finally {
    await file.close();
  }
  return key;
}

/**
 * Reads the file. Throws ERR_NOT_INITIALISED if it is missing, ERR_PERMISSION if others may read it or its
 * owner is neither this user nor root, ERR_STATE_DAMAGED for another length.
 */
export async function openMasterKey(path: string): Promise<Uint8Array> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new QfError(
      missing ? "ERR_NOT_INITIALISED" : "ERR_PERMISSION",
      missing ? `there is no master key at ${path}` : `the master key ${path} cannot be read`,
      {
        hint: missing
          ? "run qf management init, or name the file with --master-key-file"
          : "check its owner and mode",
        cause,
      },
    );
  }
  try {
    const found = await file.stat();
    const { mode, uid, size } = found;
    // Checked before the mode, since the hint about modes must not be followed for a device.
    if (!found.isFile()) {
      throw new QfError("ERR_USAGE", `the master key ${path} is no file`, {
        hint: "name the file that qf management init made",
      });
    }
    const self = process.getuid?.();
    if ((mode & 0o077) !== 0 || (self !== undefined && uid !== self && uid !== 0)) {
      throw new QfError("ERR_PERMISSION", `the master key ${path} is open to others`, {
        hint: `run chmod 600 ${path}, and give it to the user who runs management`,
      });
    }
    if (size !== MASTER_KEY_BYTES) {
      throw new QfError("ERR_STATE_DAMAGED", `the master key ${path} does not have 32 bytes`, {
        hint: "restore it from a backup",
      });
    }
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}
