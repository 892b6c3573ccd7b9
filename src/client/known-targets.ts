/**
 * Machines this person has had a certificate for, as management described them then. An offline login needs
 * them when management cannot be asked. They are a cache: losing them does no harm, and unreadable entries
 * count as missing. Only logins that are cached and may be shown to machines write here.
 *
 * Each machine has a file whose name is derived from its content. Checking that nothing is new, as at almost
 * every connection, takes one directory lookup and reads no file.
 *
 * @module
 */
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory, parseJson, writeJsonAtomic } from "../base/files.ts";
import { sha256 } from "../base/random.ts";
import { KnownTargetFile } from "../wire/state-file.ts";
import type { EpochSeconds } from "../wire/units.ts";
import { isPrivate } from "./client-folder.ts";

const TARGETS_FOLDER = "targets";
/** Most machines remembered; the least recently used is forgotten. */
const TARGETS_MAX = 512;
/** Unchanged entries are not rewritten before this age. */
const REFRESH_SECONDS = 86_400;
/** Older host keys and addresses are no longer trusted. */
const TARGET_SECONDS_MAX = 30 * 86_400;

export type KnownTarget = Omit<KnownTargetFile, "format">;
/** The content that a file's name is derived from. */
type Described = Omit<KnownTarget, "identity">;

export interface KnownTargets {
  /** The machine that `typed` (lower case) names at `origin`. Undefined when unknown or too old. */
  find(origin: string, typed: string, nowSeconds: EpochSeconds): Promise<KnownTarget | undefined>;
  /** Whether writing `known` now would change what is stored. */
  isNews(known: Described): Promise<boolean>;
  /** Never throws: a failed write does no harm. */
  remember(known: KnownTarget): Promise<void>;
}

/** Opens the cache in the person's folder; reads nothing yet. */
export function openKnownTargets(folder: string): KnownTargets {
  const path = join(folder, TARGETS_FOLDER);
  return {
    async find(origin, typed, nowSeconds) {
      let newest: KnownTarget | undefined;
      for (const name of await filesIn(path)) {
        const known = await read(join(path, name));
        if (known === undefined || known.origin !== origin || !isNamed(known.target, typed)) continue;
        if (Math.abs(nowSeconds - known.atSeconds) > TARGET_SECONDS_MAX) continue;
        // The name may have moved to another machine.
        if (newest === undefined || known.atSeconds > newest.atSeconds) newest = known;
      }
      return newest;
    },
    async isNews(known) {
      const found = await stat(join(path, fileOf(known))).catch(() => undefined);
      return found === undefined || Math.abs(known.atSeconds - found.mtimeMs / 1000) >= REFRESH_SECONDS;
    },
    async remember(known) {
      try {
        await makeDirectory(path, 0o700);
        if (!(await isPrivate(path))) return;
        const file: KnownTargetFile = { format: 1, ...known };
        await writeJsonAtomic(join(path, fileOf(known)), file, 0o600);
        await tidy(path, known);
      } catch {}
    },
  };
}

/** First labels of the machines stored in `folder`, of any server and age. */
export async function knownNames(folder: string): Promise<string[]> {
  const path = join(folder, TARGETS_FOLDER);
  const known = await Promise.all((await filesIn(path)).map((name) => read(join(path, name))));
  return known.flatMap((one) => one?.target.name.split(".")[0] ?? []);
}

/** Removes the machine's older entries, and entries beyond the limit. */
async function tidy(path: string, known: Described): Promise<void> {
  const names = await filesIn(path);
  const outdated = names.filter((name) => name.startsWith(machineOf(known)) && name !== fileOf(known));
  for (const name of outdated) await rm(join(path, name), { force: true });
  if (names.length - outdated.length <= TARGETS_MAX) return;
  const current = names.filter((name) => !outdated.includes(name));
  const ages = await Promise.all(
    current.map(async (name) => ({
      name,
      atMs: (await stat(join(path, name)).catch(() => null))?.mtimeMs ?? 0,
    })),
  );
  const oldest = ages.sort((a, b) => a.atMs - b.atMs).slice(0, current.length - TARGETS_MAX);
  for (const { name } of oldest) await rm(join(path, name), { force: true });
}

async function filesIn(path: string): Promise<string[]> {
  if (!(await isPrivate(path))) return [];
  return (await readdir(path)).filter((name) => name.endsWith(".json"));
}

async function read(path: string): Promise<KnownTarget | undefined> {
  const parsed = KnownTargetFile.safeParse(parseJson(await readFile(path, "utf8").catch(() => "")));
  return parsed.success ? parsed.data : undefined;
}

/** Matches the same names as management: id, overlay address, full name, name. */
function isNamed({ peerId, address, name }: KnownTarget["target"], typed: string): boolean {
  return [peerId, address, name, name.split(".")[0]].includes(typed);
}

function machineOf({ origin, target }: Described): string {
  return `${sha256(`${origin} ${target.peerId}`).slice(0, 22)}.`;
}

/** Whether the machine is connected now is not stored. */
function fileOf(known: Described): string {
  const fingerprint = JSON.stringify([known.loginId, { ...known.target, connected: false }]);
  return `${machineOf(known)}${sha256(fingerprint).slice(0, 22)}.json`;
}
