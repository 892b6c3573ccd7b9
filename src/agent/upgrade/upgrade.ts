/**
 * `qf upgrade`: moves this machine to another release, and rolls back by itself when the agent does not come
 * up.
 *
 * Signatures are verified here with this machine's own keys. The server that hands out a release is not
 * trusted. Read `upgrade`.
 *
 * @module
 */
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { TARGET, VERSION } from "../../base/build-info.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { makeDirectory, readJsonState, writeJsonAtomic } from "../../base/files.ts";
import { compareVersions, decideRelease, type ReleaseRefusal } from "../../policy/release.ts";
import { instantText, type ReleaseFile, type Target } from "../../wire/release.ts";
import { VersionRecord } from "../../wire/version-record.ts";
import { lockUpgrade } from "../state/state-lock.ts";
import { fetchBuild, fetchManifest } from "./fetch-release.ts";
import {
  type Replacement,
  removeLeftBuilds,
  replace,
  requireReplaceable,
  writeBuild,
} from "./replace-executable.ts";

export interface UpgradeOptions {
  /** URL of management. */
  readonly url: string;
  /** Version to install. Undefined: the newest. */
  readonly version: string | undefined;
  readonly allowDowngrade: boolean;
  readonly stateDir: string;
  /** The file to replace. */
  readonly executable: string;
  readonly keys: readonly string[];
  /** Starts the executable's agent, if one is to run here. Throws when it does not come up. */
  restart(): Promise<void>;
  readonly say: (text: string) => void;
  readonly clock?: Clock;
  /** Version and target of this build. Tests override them. */
  readonly running?: string;
  readonly target?: string;
}

export interface Offer {
  readonly version: string;
  readonly isNewer: boolean;
  readonly file: ReleaseFile;
}

const REFUSALS: Readonly<Record<ReleaseRefusal, string>> = {
  "another-version": "the server offers another version under this name",
  expired: "this release has expired, or this machine's clock is wrong",
  withdrawn: "this release was withdrawn",
  "no-build": "this release has no build for this machine",
  downgrade: "this release is not above the highest version that ran here",
  "too-far": "this release cannot take over from the version that runs",
};

const HINTS: Readonly<Partial<Record<ReleaseRefusal, string>>> = {
  downgrade: "give --allow-downgrade to go back",
  "too-far": "go to a version between them first, with --version",
};

/**
 * Fetches and checks the server's offer. Throws ERR_FORBIDDEN for a release that must not be installed here.
 */
export async function findOffer(options: UpgradeOptions): Promise<Offer> {
  const { clock = systemClock, running = VERSION, target = TARGET } = options;
  const manifest = await fetchManifest(options.url, options.version ?? "latest", options.keys);
  const decision = decideRelease({
    manifest,
    asked: options.version ?? manifest.version,
    target: target as Target,
    running,
    highest: await highestOf(options.stateDir, running),
    allowDowngrade: options.allowDowngrade,
    now: instantText(clock.nowMs()),
  });
  if (!decision.ok) {
    const hint = HINTS[decision.refusal];
    const message = `${REFUSALS[decision.refusal]} (${manifest.version})`;
    throw new QfError("ERR_FORBIDDEN", message, hint === undefined ? {} : { hint });
  }
  const { version } = manifest;
  return { version, isNewer: compareVersions(version, running) !== 0, file: decision.file };
}

/**
 * Resolves with the version that runs now. Throws with the reason, and leaves the old version in place.
 * Throws ERR_CONFLICT during another upgrade, since each could mistake the other's result for its own, or
 * undo it.
 */
export async function upgrade(options: UpgradeOptions): Promise<string> {
  await makeDirectory(options.stateDir, 0o711);
  const lock = await lockUpgrade(options.stateDir);
  try {
    return await upgradeAlone(options);
  } finally {
    await lock.release();
  }
}

async function upgradeAlone(options: UpgradeOptions): Promise<string> {
  const { clock = systemClock, running = VERSION, target = TARGET } = options;
  const offer = await findOffer(options);
  const { version, file } = offer;
  if (!offer.isNewer) return version;
  const path = await realpath(options.executable);
  await requireReplaceable(path);
  await removeLeftBuilds(path, clock.nowMs());
  const packed = await fetchBuild(options.url, { version, target });
  const fresh = await writeBuild(path, packed, { file, version });
  options.say(`${version} is downloaded and checked`);
  const replacement = await replace(path, fresh);
  try {
    await options.restart();
  } catch (cause) {
    const outcome = await goBack(options, replacement, running);
    throw new QfError("ERR_UNAVAILABLE", `the agent of ${version} did not come up; ${outcome}`, {
      hint: cause instanceof QfError ? cause.message : "see its log",
      cause,
    });
  }
  await replacement.keep();
  await record(options.stateDir, version, running);
  return version;
}

/** Puts the old version back and starts its agent. Resolves with what became of it, in words. */
async function goBack(options: UpgradeOptions, replacement: Replacement, old: string): Promise<string> {
  // The caller throws the failure of the new version. Report those of the old one beside it.
  try {
    await replacement.goBack();
  } catch (cause) {
    options.say(`the old version cannot be put back: ${String(cause)}`);
    return `${old} could not be put back`;
  }
  try {
    await options.restart();
    return `${old} is back`;
  } catch (cause) {
    options.say(`the agent of the old version does not come up either: ${String(cause)}`);
    return `${old} is installed again, but its agent does not come up either`;
  }
}

async function highestOf(stateDir: string, running: string): Promise<string> {
  const found = await readJsonState(join(stateDir, "versions.json"), VersionRecord);
  return found !== undefined && compareVersions(found.highest, running) > 0 ? found.highest : running;
}

async function record(stateDir: string, version: string, running: string): Promise<void> {
  const before = await highestOf(stateDir, running);
  const highest = compareVersions(version, before) > 0 ? version : before;
  await writeJsonAtomic(join(stateDir, "versions.json"), { format: 1, highest }, 0o600);
}
