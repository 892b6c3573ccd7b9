/** Releases that a server hands out, for what only asks whether there are any. */
import type { OfferedReleases } from "../../src/management/rollouts/offered-release.ts";
import { manifestText, type ReleaseManifest } from "../../src/wire/release.ts";
import { aManifest } from "./release.ts";

/** One release, signed by nobody in particular; `change` is of its manifest. */
export function offering(
  version: string,
  change: Partial<ReleaseManifest> = {},
  signature: string | undefined = "signed",
): OfferedReleases {
  const manifest = { ...aManifest(version, Buffer.from("qf")), expiry: "2099-01-01T00:00:00Z", ...change };
  return {
    latest: async () => version,
    manifest: async (asked) => (asked === version ? manifestText(manifest) : undefined),
    signature: async (asked) => (asked === version ? signature : undefined),
  };
}
