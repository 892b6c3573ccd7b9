/**
 * Machines this person has had a certificate for, as management described them then: what an offline
 * login needs when management can not be asked. A cache: gone without loss, and what can not be read
 * counts as empty. Written only for logins that are kept and may be shown to machines.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseJson, writeJsonAtomic } from "../base/files.ts";
import { type KnownTarget, KnownTargetsFile } from "../wire/state-file.ts";
import type { EpochSeconds } from "../wire/units.ts";

const TARGETS_FILE = "targets.json";
/** Machines remembered; the one not asked for longest is forgotten. */
const TARGETS_MAX = 512;
/** What did not change is not written again before this. */
const REFRESH_SECONDS = 86_400;
/** Host keys and addresses older than this are not trusted to be those of the machine. */
const TARGET_SECONDS_MAX = 30 * 86_400;

export interface KnownTargets {
  /** The machine that `typed` (lower case) names at `origin`. Undefined: not known, or not lately. */
  find(origin: string, typed: string, nowSeconds: EpochSeconds): KnownTarget | undefined;
  /** Whether writing `known` now would change what is kept. */
  isNews(known: Omit<KnownTarget, "identity">): boolean;
  /** Never throws: what can not be kept is not needed. */
  remember(known: KnownTarget): Promise<void>;
}

/** Reads what is kept in the person's folder. */
export async function openKnownTargets(folder: string): Promise<KnownTargets> {
  const path = join(folder, TARGETS_FILE);
  const parsed = KnownTargetsFile.safeParse(parseJson(await readFile(path, "utf8").catch(() => "")));
  const kept: readonly KnownTarget[] = parsed.success ? parsed.data.targets : [];
  return {
    find: (origin, typed, nowSeconds) =>
      kept.find(
        (one) =>
          one.origin === origin &&
          isNamed(one.target, typed) &&
          Math.abs(nowSeconds - one.atSeconds) <= TARGET_SECONDS_MAX,
      ),
    isNews(known) {
      const old = kept.find((one) => isSame(one, known));
      if (old === undefined || known.atSeconds - old.atSeconds >= REFRESH_SECONDS) return true;
      return old.loginId !== known.loginId || describe(old) !== describe(known);
    },
    async remember(known) {
      const others = kept.filter((one) => !isSame(one, known));
      const newest = [known, ...others].sort((a, b) => b.atSeconds - a.atSeconds).slice(0, TARGETS_MAX);
      const file: KnownTargetsFile = { format: 1, targets: newest };
      await writeJsonAtomic(path, file, 0o600).catch(() => {});
    },
  };
}

/** By the same words as management takes: id, overlay address, full name, name. */
function isNamed({ peerId, address, name }: KnownTarget["target"], typed: string): boolean {
  return [peerId, address, name, name.split(".")[0]].includes(typed);
}

function isSame(
  a: Pick<KnownTarget, "origin" | "target">,
  b: Pick<KnownTarget, "origin" | "target">,
): boolean {
  return a.origin === b.origin && a.target.peerId === b.target.peerId;
}

/** What matters of a target; whether it is connected at the moment does not. */
function describe({ target }: Pick<KnownTarget, "target">): string {
  return JSON.stringify({ ...target, connected: false });
}
