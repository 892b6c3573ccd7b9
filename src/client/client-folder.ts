/**
 * The folder of one person's `qf` on this device: its configuration and the device key.
 *
 * Several processes use the folder at once: the key is created once, and every change of the configuration is
 * made under a lock and written by rename. Shapes: `wire/state-file.ts`.
 *
 * @module
 */
import { link, lstat, open, readFile, stat, unlink } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Ed25519Key, ed25519FromSeed, generateEd25519 } from "../base/ed25519.ts";
import { QfError } from "../base/errors.ts";
import { makeDirectory, readJsonState, writeFileAtomic, writeJsonAtomic } from "../base/files.ts";
import { platform } from "../base/platform/platform.ts";
import { newId } from "../base/random.ts";
import { clientStateDirs } from "../base/state-dir.ts";
import { ClientConfigFile, DeviceKeyFile, PublicClientFile } from "../wire/state-file.ts";

/** Variables of the environment, as the folder reads them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Longest wait for another process that changes the configuration. */
const LOCK_WAIT_MS = 5_000;
/** A lock older than this was left by a process that was killed. */
const LOCK_MS_MAX = 10_000;

export interface ClientFolder {
  readonly path: string;
  /** Logins are kept here: the session's own folder where there is one, since it goes with the session. */
  readonly loginsPath: string;
  readConfig(): Promise<ClientConfigFile>;
  /** Changes the configuration under a lock; `change` sees what is stored at that moment. */
  updateConfig(change: (config: ClientConfigFile) => ClientConfigFile): Promise<ClientConfigFile>;
  /** This device's key, made at first use. */
  deviceKey(): Promise<Ed25519Key>;
}

/**
 * Opens the folder of `environment`, making it when it is not there.
 *
 * Throws ERR_PERMISSION when it belongs to somebody else or others may enter it.
 */
export async function openClientFolder(
  environment: Environment,
  clock: Clock = systemClock,
): Promise<ClientFolder> {
  const path = clientFolderPath(environment);
  const isNew = (await lstat(path).catch(() => undefined)) === undefined;
  await makeDirectory(path, 0o700);
  if (isNew && !platform.ownership.closeToOthers(path)) {
    throw new QfError("ERR_PERMISSION", `the folder ${path} cannot be closed to other users`, {
      hint: `${platform.ownership.remedy(path)}, or name another folder with QF_CONFIG_DIR`,
    });
  }
  await requirePrivate(path);
  const configPath = join(path, "config.json");
  const keyPath = join(path, "device-key.json");
  const readConfig = async () =>
    (await readJsonState(configPath, ClientConfigFile)) ?? { format: 1 as const, devices: {} };
  return {
    path,
    loginsPath: await loginsPath(path, environment),
    readConfig,
    async updateConfig(change) {
      const release = await takeLock(`${configPath}.lock`, clock);
      try {
        const changed = change(await readConfig());
        await writeJsonAtomic(configPath, changed, 0o600);
        return changed;
      } finally {
        await release();
      }
    },
    deviceKey: async () => (await readDeviceKey(keyPath)) ?? (await createDeviceKey(keyPath)),
  };
}

/** `$QF_CONFIG_DIR`, else `$XDG_CONFIG_HOME/qufabric`, else `~/.config/qufabric`. */
export function clientFolderPath(environment: Environment): string {
  const own = environment.QF_CONFIG_DIR;
  if (own !== undefined && own !== "") {
    if (isAbsolute(own)) return own;
    throw new QfError("ERR_USAGE", "QF_CONFIG_DIR must be an absolute path");
  }
  const xdg = environment.XDG_CONFIG_HOME;
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, "qufabric");
  return join(environment.HOME || homedir(), ".config", "qufabric");
}

/** What this machine's agent tells everyone on it. Undefined without an agent, or when it makes no sense. */
export async function readPublicClient(environment: Environment): Promise<PublicClientFile | undefined> {
  for (const folder of clientStateDirs(process.geteuid?.() ?? 0, environment)) {
    try {
      // Not ours to set aside: the agent owns it, and we may not even write there.
      const text = await readFile(join(folder, "public/client.json"), "utf8");
      const parsed = PublicClientFile.safeParse(JSON.parse(text));
      if (parsed.success) return parsed.data;
    } catch {
      // No agent there, or none that anybody else may know of.
    }
  }
  return undefined;
}

async function loginsPath(folder: string, environment: Environment): Promise<string> {
  const runtime = environment.XDG_RUNTIME_DIR;
  if (runtime !== undefined && isAbsolute(runtime) && (await isPrivate(runtime))) {
    return join(runtime, "qufabric");
  }
  return join(folder, "logins");
}

/** Whether `path` is a folder of ours that nobody else may enter. */
export async function isPrivate(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true && platform.ownership.intruder(path, found) === null;
}

async function requirePrivate(path: string): Promise<void> {
  const intruder = platform.ownership.intruder(path, await stat(path));
  if (intruder === "owner") {
    throw new QfError("ERR_PERMISSION", `the folder ${path} belongs to somebody else`, {
      hint: "run qf as its owner, or name another folder with QF_CONFIG_DIR",
    });
  }
  if (intruder === "open") {
    throw new QfError("ERR_PERMISSION", `the folder ${path} is open to other users`, {
      hint: platform.ownership.remedy(path),
    });
  }
}

async function readDeviceKey(path: string): Promise<Ed25519Key | undefined> {
  const stored = await readJsonState(path, DeviceKeyFile);
  return stored === undefined ? undefined : ed25519FromSeed(stored.seed);
}

/** Makes the key. Of several processes that do so at once one wins, and all get its key. */
async function createDeviceKey(path: string): Promise<Ed25519Key> {
  const key = generateEd25519();
  const file: DeviceKeyFile = { format: 1, seed: key.seed, publicKey: key.publicKey };
  const fresh = `${path}.${newId()}.new`;
  await writeFileAtomic(fresh, `${JSON.stringify(file)}\n`, 0o600);
  try {
    await link(fresh, path);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const winner = await readDeviceKey(path);
    if (winner === undefined) throw error;
    return winner;
  } finally {
    await unlink(fresh).catch(() => {});
  }
}

/** Takes a lock file, sweeping away one that was left behind. Throws ERR_TIMEOUT after 5 s. */
async function takeLock(path: string, clock: Clock): Promise<() => Promise<void>> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    try {
      await (await open(path, "wx", 0o600)).close();
      return async () => {
        await unlink(path).catch(() => {});
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const since = await stat(path).catch(() => undefined);
    if (since !== undefined && clock.nowMs() - since.mtimeMs > LOCK_MS_MAX) {
      await unlink(path).catch(() => {});
    }
    if (clock.monotonicMs() - startedMs > LOCK_WAIT_MS) {
      throw new QfError("ERR_TIMEOUT", `another qf is busy with ${path}`, { hint: "try again" });
    }
    await Bun.sleep(20);
  }
}
