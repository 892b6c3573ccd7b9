/**
 * The setup key given to a machine by flag, file, standard input or environment.
 *
 * @module
 */
import { isQfError, QfError } from "../../base/errors.ts";
import { readSmallFile } from "../../base/files.ts";
import { systemFailure } from "../../base/system-error.ts";
import { wipeArgument } from "../../base/wipe-argument.ts";
import type { Environment } from "../contracts/flags.ts";

const FILE_BYTES_MAX = 4096;
const STDIN = "/dev/stdin";

export interface GivenSetupKey {
  /** `--setup-key`. */
  readonly key: string | undefined;
  /** `--setup-key-file`. "-" means standard input. */
  readonly file: string | undefined;
}

/**
 * Reads the setup key. Undefined: none was given. Flags win over the environment. A key on the command line
 * is overwritten there, and `warn` is called if that fails. Throws ERR_USAGE and ERR_PERMISSION.
 */
export async function readSetupKey(
  { key, file }: GivenSetupKey,
  environment: Environment,
  warn: (text: string) => void,
): Promise<string | undefined> {
  if (key !== undefined && file !== undefined) {
    throw new QfError("ERR_USAGE", "--setup-key and --setup-key-file exclude each other");
  }
  if (key !== undefined) {
    if (!wipeArgument(key)) {
      warn("other users of this machine can read the setup key on the command line: use --setup-key-file");
    }
    return key;
  }
  const path = file ?? (environment.QF_SETUP_KEY ? undefined : environment.QF_SETUP_KEY_FILE || undefined);
  return path === undefined ? environment.QF_SETUP_KEY || undefined : readKey(path === "-" ? STDIN : path);
}

async function readKey(path: string): Promise<string> {
  let text: string;
  try {
    text = await readSmallFile(path, FILE_BYTES_MAX);
  } catch (cause) {
    const why = isQfError(cause)
      ? cause.message
      : (systemFailure(cause)?.message ?? `${path} cannot be read`);
    throw new QfError("ERR_PERMISSION", `the setup key cannot be read: ${why}`, { cause });
  }
  const key = text.trim();
  if (key === "") throw new QfError("ERR_USAGE", `${path} holds no setup key`);
  return key;
}
