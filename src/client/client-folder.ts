/**
 * A person's `qf` folder on this device: configuration and device key.
 *
 * Several processes use the folder at once. The key is created only once, and every configuration change is
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

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Longest wait for another process that is changing the configuration. */
const LOCK_WAIT_MS = 5_000;
/** A lock older than this belongs to a process that was killed. */
const LOCK_MS_MAX = 10_000;

export interface ClientFolder {
  readonly path: string;
  /**
   * Folder of cached logins: the session's runtime folder if there is one, since it disappears with the
   * session.
   */
  readonly loginsPath: string;
  readConfig(): Promise<ClientConfigFile>;
  /** Changes the configuration under a lock; `change` sees what is stored at that moment. */
  updateConfig(change: (config: ClientConfigFile) => ClientConfigFile): Promise<ClientConfigFile>;
  /** This device's key, made at first use. */
  deviceKey(): Promise<Ed25519Key>;
}

/**
 * Opens the folder of `environment`, creating it if missing.
 *
 * Throws ERR_PERMISSION when another user owns it or others may enter it.
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

/**
 * What this machine's agent publishes to its users. Undefined without an agent, or when it does not parse.
 */
export async function readPublicClient(environment: Environment): Promise<PublicClientFile | undefined> {
  for (const folder of clientStateDirs(process.geteuid?.() ?? 0, environment)) {
    try {
      // Never set aside when damaged: it is the agent's file.
      const text = await readFile(join(folder, "public/client.json"), "utf8");
      const parsed = PublicClientFile.safeParse(JSON.parse(text));
      if (parsed.success) return parsed.data;
    } catch {
      // No agent there, or one that publishes nothing to others.
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

/** Whether `path` is our own folder, closed to others. */
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

/** Creates the key. If several processes do so at once, one wins and all get its key. */
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

/** Takes a lock file, removing a stale one. Throws ERR_TIMEOUT after 5 s. */
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
