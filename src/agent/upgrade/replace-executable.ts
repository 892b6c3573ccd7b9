/**
 * Replaces this machine's executable with another build: writes it beside the old one, verifies it, tries it,
 * and renames it into place. The old file is kept for a rollback until the new one is known to work.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, link, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { QfError } from "../../base/errors.ts";
import { newId } from "../../base/random.ts";
import type { ReleaseFile } from "../../wire/release.ts";

const TRIAL_MS_MAX = 30_000;
/** Age from which files count as left over. Longer than any upgrade takes. */
const LEFT_MS_MIN = 2 * 3_600_000;
/** TypeScript's DOM types, loaded beside Bun's, do not know zstd. */
const ZSTD = "zstd" as "gzip";

export interface Replacement {
  /** Puts the old file back. Call at most once. */
  goBack(): Promise<void>;
  /** Deletes the old file. */
  keep(): Promise<void>;
}

/** Throws ERR_PERMISSION unless this user can replace the executable at `path`. */
export async function requireReplaceable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch (cause) {
    throw new QfError("ERR_PERMISSION", `${path} cannot be replaced by this user`, {
      hint: "run the same command as its owner, or with sudo",
      cause,
    });
  }
}

/** Removes builds that a killed upgrade left beside `path`. Each is as large as the executable. */
export async function removeLeftBuilds(path: string, nowMs: number): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!/^\.qf-[a-z0-9]{20}\.(?:new|previous)$/.test(name)) continue;
    const left = join(dirname(path), name);
    const found = await stat(left).catch(() => null);
    // Another upgrade may be under way. Uses ctime, which linking sets; the mtime of `previous` is older.
    if (found !== null && nowMs - found.ctimeMs > LEFT_MS_MIN) await unlink(left).catch(() => {});
  }
}

/**
 * Unpacks `packed` beside `path` and returns the new file's path. Throws ERR_FORBIDDEN, and leaves nothing,
 * when it does not match `file` or does not run as `version`.
 */
export async function writeBuild(
  path: string,
  packed: ReadableStream<Uint8Array>,
  { file, version }: { readonly file: ReleaseFile; readonly version: string },
): Promise<string> {
  const temporary = join(dirname(path), `.qf-${newId()}.new`);
  try {
    await unpack(temporary, packed, file);
    await requireRuns(temporary, version);
    return temporary;
  } catch (cause) {
    await unlink(temporary).catch(() => {});
    throw cause;
  }
}

async function unpack(path: string, packed: ReadableStream<Uint8Array>, file: ReleaseFile): Promise<void> {
  const out = await open(path, "wx", 0o755);
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    const plain = packed.pipeThrough(
      new DecompressionStream(ZSTD) as TransformStream<Uint8Array, Uint8Array>,
    );
    for await (const chunk of plain) {
      bytes += chunk.length;
      if (bytes > file.size) throw damaged();
      hash.update(chunk);
      await out.write(chunk);
    }
    if (bytes !== file.size || hash.digest("hex") !== file.sha256) throw damaged();
    await out.chmod(0o755);
    await out.sync();
  } catch (cause) {
    throw cause instanceof QfError ? cause : damaged(cause);
  } finally {
    await out.close();
  }
}

function damaged(cause?: unknown): QfError {
  return new QfError("ERR_FORBIDDEN", "the download is not what the release says", {
    hint: "nothing was changed; run it again, and tell who runs the server if it stays so",
    cause,
  });
}

async function requireRuns(path: string, version: string): Promise<void> {
  const said = await tryRun(path).catch(() => "");
  if (said.startsWith(`qf ${version} `)) return;
  throw new QfError("ERR_FORBIDDEN", `the new executable does not run as ${version} on this machine`, {
    hint: "nothing was changed",
  });
}

/** The output of the file's `qf version`. Empty when it fails. */
async function tryRun(path: string): Promise<string> {
  const child = Bun.spawn([path, "version"], {
    env: {},
    cwd: "/",
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    timeout: TRIAL_MS_MAX,
  });
  const said = await new Response(child.stdout).text();
  return (await child.exited) === 0 ? said : "";
}

/** Renames `fresh` to `path`, and keeps the old file for `goBack`. */
export async function replace(path: string, fresh: string): Promise<Replacement> {
  const previous = join(dirname(path), `.qf-${newId()}.previous`);
  await link(path, previous);
  await rename(fresh, path);
  return {
    goBack: () => rename(previous, path),
    keep: () => unlink(previous),
  };
}
