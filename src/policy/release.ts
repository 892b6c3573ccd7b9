/**
 * Decisions whether a machine may take a release: by its manifest, the build that is here, and the clock.
 *
 * The signature of the manifest is checked before anything here is asked. `install.sh` has the same rules.
 *
 * @module
 */
import type { ReleaseFile, ReleaseManifest, ReleaseVersion, Target } from "../wire/release.ts";

/** Why a release is refused. */
export type ReleaseRefusal =
  /** It is another version than the one that was asked for: an old one under a new name. */
  | "another-version"
  /** Its time is over. */
  | "expired"
  /** It, or the manifest's own list, withdraws it. */
  | "withdrawn"
  /** There is no build of it for this machine. */
  | "no-build"
  /** It is not above the highest version that ever ran here. */
  | "downgrade"
  /** It cannot take over from the version that is here. */
  | "too-far";

/** What is asked of a release. */
export interface ReleaseRequest {
  readonly manifest: ReleaseManifest;
  /** Version that it was found under. */
  readonly asked: ReleaseVersion;
  readonly target: Target;
  /** Version that runs now. */
  readonly running: ReleaseVersion;
  /** Highest version that ever ran here. */
  readonly highest: ReleaseVersion;
  /** Root allows a version below that. */
  readonly allowDowngrade: boolean;
  /** The time, as manifests write it. */
  readonly now: string;
}

/** A release that may be taken, with the build for this machine, or why it may not be. */
export type ReleaseDecision =
  | { readonly ok: true; readonly file: ReleaseFile }
  | { readonly ok: false; readonly refusal: ReleaseRefusal };

/** Decides whether the release may be installed here. The same version as the one that runs may be. */
export function decideRelease(request: ReleaseRequest): ReleaseDecision {
  const { manifest, asked, target, running, highest } = request;
  if (manifest.version !== asked) return refused("another-version");
  // Instants in UTC, written alike, sort by time.
  if (request.now >= manifest.expiry) return refused("expired");
  if (manifest.withdrawn.includes(manifest.version)) return refused("withdrawn");
  const file = manifest.targets[target];
  if (file === undefined) return refused("no-build");
  const isSame = compareVersions(manifest.version, running) === 0;
  if (!isSame && !request.allowDowngrade && compareVersions(manifest.version, highest) <= 0) {
    return refused("downgrade");
  }
  if (compareVersions(running, manifest.lowestFrom) < 0) return refused("too-far");
  return { ok: true, file };
}

function refused(refusal: ReleaseRefusal): ReleaseDecision {
  return { ok: false, refusal };
}

/** Negative where `a` is below `b`. A candidate (`1.2.3-rc.4`) is below its release. */
export function compareVersions(a: ReleaseVersion, b: ReleaseVersion): number {
  const left = partsOf(a);
  const right = partsOf(b);
  for (let at = 0; at < left.length; at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function partsOf(version: ReleaseVersion): number[] {
  const [core = "", candidate = RELEASED] = version.split("-rc.");
  return [...core.split("."), candidate].map((part) => Number(part) || 0);
}

/** Above the number of any candidate. */
const RELEASED = "9999";
