/**
 * The agent's state folder: keys, flags and the last map. Shapes are in `wire/state-file.ts`.
 *
 * Files are replaced by rename and read strictly. A damaged file is set aside, and the start fails naming it.
 * Later starts fail too, until a person restores or removes it, because keys and flags are never silently
 * made anew. Only the map is, since management has it.
 *
 * @module
 */
import { chmod, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Ed25519Key, ed25519FromSeed, generateEd25519 } from "../../base/ed25519.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import { makeDirectory, type Parser, readJsonState, writeJsonAtomic } from "../../base/files.ts";
import {
  type AgentFlagsStored,
  AgentStateFile,
  HostKeyFile,
  MapConfirmation,
  StoredMap,
} from "../../wire/agent-state-file.ts";
import { DeviceKeyFile, PublicClientFile } from "../../wire/state-file.ts";
import { makeHostKeys, publicHostKey } from "./host-keys.ts";

/** Files of a state folder. Files that other users of the machine may read are in `public/`. */
export interface StatePaths {
  readonly directory: string;
  readonly agent: string;
  readonly deviceKey: string;
  readonly hostKeys: string;
  readonly map: string;
  readonly confirmed: string;
  readonly audit: string;
  /** Recordings that management does not have yet. */
  readonly recordings: string;
  /** This machine's record of the account's log. */
  readonly witness: string;
  /** Result of management's last upgrade order. */
  readonly upgrade: string;
  readonly log: string;
  readonly publicDirectory: string;
  readonly publicClient: string;
  readonly publicLog: string;
}

export function statePaths(directory: string): StatePaths {
  const publicDirectory = join(directory, "public");
  return {
    directory,
    agent: join(directory, "agent.json"),
    deviceKey: join(directory, "device-key.json"),
    hostKeys: join(directory, "host-keys.json"),
    map: join(directory, "map.json"),
    confirmed: join(directory, "confirmed.json"),
    audit: join(directory, "audit"),
    recordings: join(directory, "recordings"),
    witness: join(directory, "log.json"),
    upgrade: join(directory, "upgrade.json"),
    log: join(directory, "agent.log"),
    publicDirectory,
    publicClient: join(publicDirectory, "client.json"),
    publicLog: join(publicDirectory, "log.json"),
  };
}

/** Makes the folders. 0711 lets other users reach `public/` but list nothing. Throws ERR_PERMISSION. */
export async function prepareStateDir(directory: string): Promise<StatePaths> {
  const paths = statePaths(directory);
  try {
    await makeDirectory(directory, 0o711);
  } catch (cause) {
    throw new QfError("ERR_PERMISSION", `the state folder ${directory} cannot be made`, {
      hint: "run as root, or give another with --state-dir",
      cause,
    });
  }
  const found = await stat(directory);
  if (found.uid !== process.geteuid?.() || (found.mode & 0o022) !== 0) {
    throw new QfError("ERR_PERMISSION", `the state folder ${directory} is open to others`, {
      hint: "it must belong to the user the agent runs as, and nobody else may write to it",
    });
  }
  // Only an empty folder: the one named may hold a person's other files.
  if ((await readdir(directory)).length === 0) await chmod(directory, 0o711);
  await makeDirectory(paths.audit, 0o700);
  await makeDirectory(paths.publicDirectory, 0o755);
  await chmod(paths.publicDirectory, 0o755);
  return paths;
}

/** Removes unfinished files of a killed process (`writeFileAtomic`). Requires the lock. */
export async function removeUnfinished({ directory, publicDirectory }: StatePaths): Promise<void> {
  for (const folder of [directory, publicDirectory]) {
    for (const name of await readdir(folder)) {
      if (/\.[a-z0-9]{20}\.tmp$/.test(name)) await rm(join(folder, name), { force: true });
    }
  }
}

/** `agent.json`. Undefined before the first `up`. Throws ERR_STATE_DAMAGED. */
export function readAgentFile(paths: StatePaths): Promise<AgentStateFile | undefined> {
  return readState(paths.agent, AgentStateFile);
}

export function writeAgentFile(paths: StatePaths, file: AgentStateFile): Promise<void> {
  return writeJsonAtomic(paths.agent, file, 0o600);
}

export interface AgentKeys {
  readonly deviceKey: Ed25519Key;
  readonly hostKeys: HostKeyFile["keys"];
  /** Public halves, as management stores them. */
  readonly hostKeyBlobs: string[];
}

/**
 * Opens the keys, made on first use only. With `mustExist` (enrolled) a missing file is ERR_STATE_DAMAGED.
 */
export async function openKeys(paths: StatePaths, options: { mustExist: boolean }): Promise<AgentKeys> {
  const device = await readOrMake(paths.deviceKey, DeviceKeyFile, options.mustExist, () => {
    const { seed, publicKey } = generateEd25519();
    return { format: 1 as const, seed, publicKey };
  });
  const host = await readOrMake(paths.hostKeys, HostKeyFile, options.mustExist, makeHostKeys);
  return {
    deviceKey: ed25519FromSeed(device.seed),
    hostKeys: host.keys,
    hostKeyBlobs: host.keys.map((key) => hostKeyBlob(key.pem, paths.hostKeys)),
  };
}

async function readOrMake<T>(path: string, parser: Parser<T>, mustExist: boolean, make: () => T): Promise<T> {
  const found = await readState(path, parser);
  if (found !== undefined) return found;
  if (mustExist) {
    throw new QfError("ERR_STATE_DAMAGED", `the state file ${path} is missing`, {
      hint: "restore it from a backup, or enrol anew with an empty state folder",
    });
  }
  const made = make();
  await writeJsonAtomic(path, made, 0o600);
  return made;
}

function hostKeyBlob(pem: string, path: string): string {
  const blob = publicHostKey(pem);
  if (blob !== undefined) return blob;
  throw new QfError("ERR_STATE_DAMAGED", `the state file ${path} holds a host key that does not read`, {
    hint: "restore it from a backup",
  });
}

/** The stored map, and the last time management confirmed it. */
export interface LastMap {
  readonly stored: StoredMap | undefined;
  readonly confirmation: MapConfirmation | undefined;
  /** Set if a damaged map was set aside. Management has another. */
  readonly damage: string | null;
}

export async function readLastMap(paths: StatePaths): Promise<LastMap> {
  const damages: string[] = [];
  const read = async <T>(path: string, parser: Parser<T>): Promise<T | undefined> => {
    try {
      return await readJsonState(path, parser);
    } catch (cause) {
      if (!isQfError(cause, "ERR_STATE_DAMAGED")) throw cause;
      damages.push(cause.message);
      return undefined;
    }
  };
  const stored = await read(paths.map, StoredMap);
  const confirmation = await read(paths.confirmed, MapConfirmation);
  return { stored, confirmation, damage: damages.length === 0 ? null : damages.join("; ") };
}

export function writeMap(paths: StatePaths, stored: StoredMap): Promise<void> {
  return writeJsonAtomic(paths.map, stored, 0o600);
}

export function writeConfirmation(paths: StatePaths, confirmation: MapConfirmation): Promise<void> {
  return writeJsonAtomic(paths.confirmed, confirmation, 0o600);
}

/** Writes what any user's `qf ssh` on this machine starts from. `running` is null once the agent stopped. */
export function writePublicClient(
  paths: StatePaths,
  flags: AgentFlagsStored,
  running: { readonly controlSocket: string; readonly bootId: string } | null,
): Promise<void> {
  const file: PublicClientFile = {
    managementUrl: flags.managementUrl,
    ttlSeconds: flags.sshJwtCacheTtlSeconds,
    ...running,
  };
  return writeJsonAtomic(paths.publicClient, PublicClientFile.parse(file), 0o644);
}

/** Like `readJsonState`, but throws ERR_STATE_DAMAGED while a damaged copy is there instead of the file. */
async function readState<T>(path: string, parser: Parser<T>): Promise<T | undefined> {
  const found = await readJsonState(path, parser);
  if (found !== undefined) return found;
  const prefix = `${basename(path)}.damaged-`;
  const names = await readdir(dirname(path)).catch(() => [] as string[]);
  const aside = names.find((name) => name.startsWith(prefix));
  if (aside === undefined) return undefined;
  throw new QfError(
    "ERR_STATE_DAMAGED",
    `the state file ${path} was damaged and lies set aside as ${aside}`,
    {
      hint: "restore it from a backup, or remove the damaged copy to start over without it",
    },
  );
}
