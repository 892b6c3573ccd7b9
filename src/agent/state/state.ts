/**
 * The agent's state folder: keys, flags, the last map. Shapes are in `wire/state-file.ts`.
 *
 * Written by rename, read strictly. A damaged file is set aside by name and ends the start with that
 * name; so does the next start, until a person has restored it or removed it: keys and flags are never
 * silently made anew. The map alone is (management has it).
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

/** Files of a state folder. What others on the machine may see is in `public/`. */
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
  /** What this machine has seen of the account's log. */
  readonly witness: string;
  /** What became of management's last order to upgrade. */
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

/** Makes the folders. 0711: others pass through to `public/`, and list nothing. Throws ERR_PERMISSION. */
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
  // Only a folder that is ours alone: somebody may have named one that holds other things.
  if ((await readdir(directory)).length === 0) await chmod(directory, 0o711);
  await makeDirectory(paths.audit, 0o700);
  await makeDirectory(paths.publicDirectory, 0o755);
  await chmod(paths.publicDirectory, 0o755);
  return paths;
}

/** Removes what a killed process left of files (`writeFileAtomic`). Only with the lock held. */
export async function removeUnfinished({ directory, publicDirectory }: StatePaths): Promise<void> {
  for (const folder of [directory, publicDirectory]) {
    for (const name of await readdir(folder)) {
      if (/\.[a-z0-9]{20}\.tmp$/.test(name)) await rm(join(folder, name), { force: true });
    }
  }
}

/** `agent.json`, or undefined before the first `up`. Throws ERR_STATE_DAMAGED. */
export function readAgentFile(paths: StatePaths): Promise<AgentStateFile | undefined> {
  return readState(paths.agent, AgentStateFile);
}

export function writeAgentFile(paths: StatePaths, file: AgentStateFile): Promise<void> {
  return writeJsonAtomic(paths.agent, file, 0o600);
}

export interface AgentKeys {
  readonly deviceKey: Ed25519Key;
  readonly hostKeys: HostKeyFile["keys"];
  /** Their public halves, as management keeps them. */
  readonly hostKeyBlobs: string[];
}

/** The keys, made on first use only: with `mustExist` (enrolled) a missing file is ERR_STATE_DAMAGED. */
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

/** The stored map with the newest time at which management called it current. */
export interface LastMap {
  readonly stored: StoredMap | undefined;
  readonly confirmation: MapConfirmation | undefined;
  /** A damaged map was set aside under this message; management has another. */
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

/** What `qf ssh` of anybody on this machine starts from. `running`: null once the agent has stopped. */
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

/** `readJsonState`, and ERR_STATE_DAMAGED as long as a damaged copy lies where the file should be. */
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
