/**
 * A release: a set of builds and the manifest that describes them.
 *
 * The manifest is what is signed (SSHSIG, namespace `qufabric-release`). `install.sh` reads it with sed, so
 * `manifestText` writes one field, or one target, in a line. A release folder holds, for each version, the
 * manifest, its signature and the builds, each also packed.
 *
 * @module
 */
import { z } from "zod";

/** SSHSIG namespace of the manifest's signature: a signature made for something else is none. */
export const RELEASE_NAMESPACE = "qufabric-release";
/** Name of the manifest in the folder of its version, and below `/downloads/<version>/`. */
export const MANIFEST_FILE = "manifest.json";
/** Name of its signature. */
export const SIGNATURE_FILE = "manifest.json.sig";
/** Larger than any manifest or signature. Bounds reading one. */
export const MANIFEST_BYTES_MAX = 64 * 1024;

/** Every target that there are builds for. `baseline` is for processors without AVX2. */
export const TARGETS = [
  "linux-x64",
  "linux-x64-baseline",
  "linux-x64-musl",
  "linux-x64-musl-baseline",
  "linux-arm64",
  "linux-arm64-musl",
  "darwin-arm64",
  "darwin-x64",
  "windows-x64",
] as const;
/** A system, processor and C library. */
export type Target = (typeof TARGETS)[number];

const PART = "(?:0|[1-9][0-9]{0,3})";
/** Version of a release: `1.2.3`, or `1.2.3-rc.4` for a candidate. */
export const ReleaseVersion = z
  .string()
  .regex(new RegExp(`^${PART}\\.${PART}\\.${PART}(?:-rc\\.[1-9][0-9]{0,2})?$`), "is not a version (1.2.3)");
/** Version of a release. */
export type ReleaseVersion = string;

/** An instant in UTC, to the second: `2026-11-30T12:00:00Z`. Texts of this form sort by time. */
const Instant = z.iso.datetime({ precision: 0 }).regex(/Z$/, "is not in UTC");

/** The instant `ms`, as manifests write it. */
export function instantText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** What one build is. */
export const ReleaseFile = z.strictObject({
  /** Name of the file in the folder of its version. */
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, "is not a file name"),
  /** Length in bytes, unpacked. */
  size: z.int().min(1).max(1_000_000_000),
  /** SHA-256 of it, in hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "is not a SHA-256 digest"),
});
export type ReleaseFile = z.infer<typeof ReleaseFile>;

/** What a release is, and when it may be installed. */
export const ReleaseManifest = z.strictObject({
  product: z.literal("qufabric"),
  version: ReleaseVersion,
  /** When it was made. */
  date: Instant,
  /** After this nobody installs it, so an attacker cannot hold back newer releases for long. */
  expiry: Instant,
  /** Lowest version that it can take over from; a machine below goes there first. */
  lowestFrom: ReleaseVersion,
  /** Versions that must not be installed any more. Empty: none. */
  withdrawn: z.array(ReleaseVersion).max(256).readonly(),
  /** Builds by target. A target that is absent has none. */
  targets: z.partialRecord(z.enum(TARGETS), ReleaseFile).readonly(),
});
export type ReleaseManifest = z.infer<typeof ReleaseManifest>;

/** The manifest as it is signed and stored. */
export function manifestText(manifest: ReleaseManifest): string {
  const { product, version, date, expiry, lowestFrom, withdrawn, targets } = manifest;
  const fields = { product, version, date, expiry, lowestFrom };
  const lines = Object.entries(fields).map(([name, value]) => `  "${name}": "${value}",\n`);
  const versions = withdrawn.map((one) => `"${one}"`).join(", ");
  const builds = TARGETS.flatMap((target) => {
    const file = targets[target];
    if (file === undefined) return [];
    return [`    "${target}": {"name": "${file.name}", "size": ${file.size}, "sha256": "${file.sha256}"}`];
  });
  return `{\n${lines.join("")}  "withdrawn": [${versions}],\n  "targets": {\n${builds.join(",\n")}\n  }\n}\n`;
}
