/**
 * Choice of a rollout's release: one that this server serves and machines accept.
 *
 * Machines check it all themselves. This check refuses early what no machine would accept.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { instantText, ReleaseManifest, type ReleaseVersion } from "../../wire/release.ts";
import type { Releases } from "../releases/releases.ts";

/** The releases' methods that a rollout needs. */
export type OfferedReleases = Pick<Releases, "latest" | "manifest" | "signature">;

/** The version to roll out. `asked` undefined: the newest. Throws ERR_NOT_FOUND, ERR_CONFLICT. */
export async function requireOffered(
  releases: OfferedReleases,
  asked: ReleaseVersion | undefined,
  clock: Clock,
): Promise<ReleaseVersion> {
  const version = asked ?? (await releases.latest());
  const text = version === undefined ? undefined : await releases.manifest(version);
  const manifest = ReleaseManifest.safeParse(parseJson(text ?? "")).data;
  if (version === undefined || manifest === undefined) {
    throw new QfError("ERR_NOT_FOUND", "this server hands out no such release", {
      hint: "the operator puts releases into the folder of qf management serve --releases",
    });
  }
  if (manifest.version !== version) throw refused(`it is ${manifest.version} under another name`);
  if ((await releases.signature(version)) === undefined) throw refused("it is not signed");
  if (instantText(clock.nowMs()) >= manifest.expiry) throw refused("it has expired");
  if (manifest.withdrawn.includes(version)) throw refused("it was withdrawn");
  return version;
}

function refused(why: string): QfError {
  return new QfError("ERR_CONFLICT", `no machine takes this release: ${why}`);
}
