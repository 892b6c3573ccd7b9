/**
 * Releases that this server serves: those in its release folder, and its own.
 *
 * The server neither trusts nor checks them: machines verify the signature, which no server can make. File
 * names come from the closed lists in `wire/release.ts` and from parsed manifests, never from a request.
 *
 * @module
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { parseJson, readSmallFile } from "../../base/files.ts";
import type { Log } from "../../base/log.ts";
import { compareVersions } from "../../policy/release.ts";
import {
  MANIFEST_BYTES_MAX,
  MANIFEST_FILE,
  ReleaseManifest,
  ReleaseVersion,
  SIGNATURE_FILE,
  TARGETS,
  type Target,
} from "../../wire/release.ts";
import { type Executable, type OwnRelease, readOwnRelease } from "./own-release.ts";
import { createPackedFiles, type Packing } from "./packed-file.ts";

export interface Releases {
  /** The highest version. Undefined: there is none. */
  latest(): Promise<ReleaseVersion | undefined>;
  /** Undefined: there is no such version. */
  manifest(version: ReleaseVersion): Promise<string | undefined>;
  /** Undefined: there is none. */
  signature(version: ReleaseVersion): Promise<string | undefined>;
  /** Path of the build, plain or packed. Undefined: there is none. */
  file(version: ReleaseVersion, target: Target, packing: Packing | undefined): Promise<string | undefined>;
}

export interface ReleasesOptions {
  /** Has a folder per version. It need not exist. */
  readonly folder: string;
  /** Where packed copies of our executable are stored. */
  readonly packedFolder: string;
  /** Null: this process has none to serve. */
  readonly executable: Executable | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reads the folder at each request, so that a new release is served at once. */
export function createReleases(options: ReleasesOptions): Releases {
  const { folder } = options;
  const packed = createPackedFiles(options.packedFolder);
  const own = createOwn(options);
  const read = (version: string, name: string): Promise<string | undefined> =>
    readSmallFile(join(folder, version, name), MANIFEST_BYTES_MAX).catch(() => undefined);
  const isInFolder = async (version: string) => (await read(version, MANIFEST_FILE)) !== undefined;
  return {
    async latest() {
      const names = await readdir(folder).catch(() => []);
      const versions = names.filter((name) => ReleaseVersion.safeParse(name).success);
      if (options.executable !== null) versions.push(options.executable.version);
      versions.sort(compareVersions);
      for (const version of versions.reverse()) {
        if (version === options.executable?.version || (await isInFolder(version))) return version;
      }
      return undefined;
    },
    async manifest(version) {
      return (await read(version, MANIFEST_FILE)) ?? (await own(version))?.manifest;
    },
    async signature(version) {
      if (await isInFolder(version)) return await read(version, SIGNATURE_FILE);
      return (await own(version))?.signature;
    },
    async file(version, target, packing) {
      const manifest = ReleaseManifest.safeParse(parseJson((await read(version, MANIFEST_FILE)) ?? ""));
      const name = manifest.data?.targets[target]?.name;
      const path = join(folder, version, `${name}${packing === undefined ? "" : `.${packing}`}`);
      if (name !== undefined && (await stat(path).catch(() => null))?.isFile() === true) return path;
      const itself = await own(version);
      if (itself === undefined || itself.target !== target) return undefined;
      return packing === undefined ? itself.path : packed.pathOf(itself.path, itself.sha256, packing);
    },
  };
}

/** Our own release, read at the first request for its version, and again after `RENEW_MS` or a failure. */
function createOwn({ executable, clock, log }: ReleasesOptions) {
  let known: { readonly made: Promise<OwnRelease | undefined>; readonly atMs: number } | undefined;
  return async (version: string): Promise<OwnRelease | undefined> => {
    if (executable === null || executable.version !== version || !isTarget(executable.target))
      return undefined;
    if (known === undefined || clock.monotonicMs() - known.atMs > RENEW_MS) {
      const made = readOwnRelease(executable, clock).catch((cause: unknown) => {
        log.warn("this executable cannot be read, so it is not handed out", {}, cause);
        known = undefined;
        return undefined;
      });
      known = { made, atMs: clock.monotonicMs() };
    }
    return await known.made;
  };
}

/** Half the validity of an unsigned manifest. */
const RENEW_MS = 43_200_000;

function isTarget(text: string): text is Target {
  return TARGETS.some((target) => target === text);
}
