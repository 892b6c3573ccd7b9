/**
 * Machines this person has had a certificate for, as management described them then: what an offline
 * login needs when management cannot be asked. A cache: gone without loss, and what cannot be read is
 * not there. Written only for logins that are kept and may be shown to machines.
 *
 * A file for each machine, whose name says what is in it: that nothing is new, as at almost every
 * connection, costs one look at the folder's entry and reads nothing.
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
/** Machines remembered; the one not asked for longest is forgotten. */
const TARGETS_MAX = 512;
/** What did not change is not written again before this. */
const REFRESH_SECONDS = 86_400;
/** Host keys and addresses older than this are not trusted to be those of the machine. */
const TARGET_SECONDS_MAX = 30 * 86_400;

export type KnownTarget = Omit<KnownTargetFile, "format">;
/** What a name is made of. */
type Described = Omit<KnownTarget, "identity">;

export interface KnownTargets {
  /** The machine that `typed` (lower case) names at `origin`. Undefined: not known, or not lately. */
  find(origin: string, typed: string, nowSeconds: EpochSeconds): Promise<KnownTarget | undefined>;
  /** Whether writing `known` now would change what is kept. */
  isNews(known: Described): Promise<boolean>;
  /** Never throws: what cannot be kept is not needed. */
  remember(known: KnownTarget): Promise<void>;
}

/** What is kept in the person's folder; nothing is read yet. */
export function openKnownTargets(folder: string): KnownTargets {
  const path = join(folder, TARGETS_FOLDER);
  return {
    async find(origin, typed, nowSeconds) {
      let newest: KnownTarget | undefined;
      for (const name of await filesIn(path)) {
        const known = await read(join(path, name));
        if (known === undefined || known.origin !== origin || !isNamed(known.target, typed)) continue;
        if (Math.abs(nowSeconds - known.atSeconds) > TARGET_SECONDS_MAX) continue;
        // A name may have gone over to another machine.
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

/** First labels of the machines kept in `folder`, whatever server they are of and however old. */
export async function knownNames(folder: string): Promise<string[]> {
  const path = join(folder, TARGETS_FOLDER);
  const known = await Promise.all((await filesIn(path)).map((name) => read(join(path, name))));
  return known.flatMap((one) => one?.target.name.split(".")[0] ?? []);
}

/** Takes away what was said of the machine before, and whatever is too much. */
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

/** By the same words as management takes: id, overlay address, full name, name. */
function isNamed({ peerId, address, name }: KnownTarget["target"], typed: string): boolean {
  return [peerId, address, name, name.split(".")[0]].includes(typed);
}

function machineOf({ origin, target }: Described): string {
  return `${sha256(`${origin} ${target.peerId}`).slice(0, 22)}.`;
}

/** Whether it is connected at the moment is nothing to remember. */
function fileOf(known: Described): string {
  const fingerprint = JSON.stringify([known.loginId, { ...known.target, connected: false }]);
  return `${machineOf(known)}${sha256(fingerprint).slice(0, 22)}.json`;
}
