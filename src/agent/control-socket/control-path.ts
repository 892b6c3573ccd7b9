/**
 * Path of the control socket for a state folder: in its public part, or, if that path is too long for a
 * socket, in a short folder named after it.
 *
 * @module
 */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { QfError } from "../../base/errors.ts";
import { makeDirectory } from "../../base/files.ts";
import { sha256 } from "../../base/random.ts";
import type { StatePaths } from "../state/state.ts";

/** `sun_path` holds 108 bytes, 104 on macOS. */
const PATH_BYTES_MAX = 100;

export interface ControlPathOptions {
  readonly uid: number;
  readonly runtimeDir: string | undefined;
}

export function controlSocketPath(paths: StatePaths, { uid, runtimeDir }: ControlPathOptions): string {
  const inState = join(paths.publicDirectory, "control.sock");
  if (Buffer.byteLength(inState) <= PATH_BYTES_MAX) return inState;
  const folder = `qufabric-${uid}-${sha256(paths.directory).slice(0, 16)}`;
  const base = uid === 0 ? "/run" : runtimeDir !== undefined && runtimeDir.length < 48 ? runtimeDir : "/tmp";
  return join(base, folder, "control.sock");
}

/** Makes the folder of a socket outside the state folder, and checks that only we own it. */
export async function prepareControlFolder(paths: StatePaths, socketPath: string): Promise<void> {
  const folder = join(socketPath, "..");
  if (folder === paths.publicDirectory) return;
  await makeDirectory(folder, 0o755);
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o022) === 0) return;
  throw new QfError("ERR_PERMISSION", `the folder ${folder} belongs to somebody else`, {
    hint: "choose a shorter --state-dir",
  });
}
