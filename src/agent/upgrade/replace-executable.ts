/**
 * The executable of this machine, replaced by another build: written beside it, checked, tried, and renamed
 * into its place. The old file stays until the new one is known to work, so that it can go back to it.
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
/** Longer than any upgrade takes. */
const LEFT_MS_MIN = 2 * 3_600_000;
/** The library of the DOM, which is loaded beside Bun's, knows no zstd. */
const ZSTD = "zstd" as "gzip";

export interface Replacement {
  /** Puts the file back that was there before. Once. */
  goBack(): Promise<void>;
  /** Forgets it. */
  keep(): Promise<void>;
}

/** Throws ERR_PERMISSION where the executable at `path` cannot be replaced by this user. */
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

/** Builds that an upgrade has left beside `path` which was killed: each is as large as the executable. */
export async function removeLeftBuilds(path: string, nowMs: number): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!/^\.qf-[a-z0-9]{20}\.(?:new|previous)$/.test(name)) continue;
    const left = join(dirname(path), name);
    const found = await stat(left).catch(() => null);
    // Another upgrade may be under way; `previous` is as old as the executable, and noted as changed by then.
    if (found !== null && nowMs - found.ctimeMs > LEFT_MS_MIN) await unlink(left).catch(() => {});
  }
}

/**
 * Writes the packed build `packed` beside `path`; the path of the new file. Throws ERR_FORBIDDEN where it is
 * not what `file` says, or does not run as `version`, and then leaves nothing.
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

/** What `qf version` of the file prints; nothing where it fails. */
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

/** Renames `fresh` to `path`. */
export async function replace(path: string, fresh: string): Promise<Replacement> {
  const previous = join(dirname(path), `.qf-${newId()}.previous`);
  await link(path, previous);
  await rename(fresh, path);
  return {
    goBack: () => rename(previous, path),
    keep: () => unlink(previous),
  };
}
