/**
 * This process's own release: its executable, served when the release folder lacks it.
 *
 * An executable cannot contain its own digest, so `install.sh` and the packages install its signed manifest
 * beside it. Without one, or with one of another build, the release gets an unsigned manifest.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TARGET, VERSION } from "../../base/build-info.ts";
import type { Clock } from "../../base/clock.ts";
import { parseJson, readSmallFile } from "../../base/files.ts";
import { isCompiled } from "../../base/own-command.ts";
import {
  instantText,
  MANIFEST_BYTES_MAX,
  MANIFEST_FILE,
  manifestText,
  ReleaseManifest,
  SIGNATURE_FILE,
} from "../../wire/release.ts";

/** How long an unsigned manifest is valid. */
const UNSIGNED_MS = 86_400_000;

export interface OwnRelease {
  readonly version: string;
  readonly target: string;
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  /** The manifest's text, as in a release folder. */
  readonly manifest: string;
  /** Undefined: unsigned. */
  readonly signature: string | undefined;
}

export interface Executable {
  readonly path: string;
  readonly version: string;
  readonly target: string;
}

/** Null when run from source, where there is no executable to serve. */
export function ownExecutable(): Executable | null {
  return isCompiled() ? { path: process.execPath, version: VERSION, target: TARGET } : null;
}

/** Reads the whole executable once. Throws the system's errors. */
export async function readOwnRelease(executable: Executable, clock: Clock): Promise<OwnRelease> {
  const { path, version, target } = executable;
  const [{ size }, sha256] = await Promise.all([stat(path), sha256OfFile(path)]);
  const own = { version, target, path, size, sha256 };
  const signed = await readSigned(own);
  if (signed !== undefined) return { ...own, ...signed };
  const nowMs = clock.nowMs();
  const manifest = ReleaseManifest.parse({
    product: "qufabric",
    version,
    date: instantText(nowMs),
    expiry: instantText(nowMs + UNSIGNED_MS),
    lowestFrom: "0.0.0",
    withdrawn: [],
    targets: { [target]: { name: `qf-${target}`, size, sha256 } },
  });
  return { ...own, manifest: manifestText(manifest), signature: undefined };
}

/** The manifest in `../share/qufabric`, if it is for this executable. */
async function readSigned({ path, target, sha256 }: Pick<OwnRelease, "path" | "target" | "sha256">) {
  const folder = join(dirname(path), "..", "share", "qufabric");
  const read = (name: string) => readSmallFile(join(folder, name), MANIFEST_BYTES_MAX).catch(() => undefined);
  const [manifest, signature] = await Promise.all([read(MANIFEST_FILE), read(SIGNATURE_FILE)]);
  if (manifest === undefined || signature === undefined) return undefined;
  const parsed = ReleaseManifest.safeParse(parseJson(manifest));
  const files: Readonly<Record<string, { readonly sha256: string } | undefined>> = parsed.data?.targets ?? {};
  return files[target]?.sha256 === sha256 ? { manifest, signature } : undefined;
}

/** The SHA-256 of a file, in hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
