/**
 * `~/.ssh/config` with two lines of ours at its very top, and nothing else of it touched.
 *
 * The text functions are pure; the file is replaced by rename, keeps its mode, and is refused when it is
 * not plainly this person's own.
 *
 * @module
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { QfError } from "../../base/errors.ts";
import { platform } from "../../base/platform/platform.ts";
import { newId } from "../../base/random.ts";

/** What we had to make for our lines; remembered in the file itself, so that removing them undoes it. */
type Made = "nothing" | "file" | "folder";
const MARKS: Readonly<Record<Made, string>> = {
  nothing: "# QuFabric: this line and the next are kept by qf ssh-config",
  file: "# QuFabric: this line and the next are kept by qf ssh-config, which made this file",
  folder: "# QuFabric: this line and the next are kept by qf ssh-config, which made this file and its folder",
};

/** `text` with our lines first, those of before taken out. */
export function withInclude(text: string, includedPath: string, made: Made = "nothing"): string {
  const before = withoutInclude(text);
  const path = includedPath.includes(" ") ? `"${includedPath}"` : includedPath;
  return `${MARKS[before.made === "nothing" ? made : before.made]}\nInclude ${path}\n${before.text}`;
}

/** `text` without our lines wherever they are, and what was made for them. */
export function withoutInclude(text: string): { readonly text: string; readonly made: Made } {
  for (const made of ["folder", "file", "nothing"] as const) {
    const start = `\n${text}`.indexOf(`\n${MARKS[made]}\n`);
    if (start === -1) continue;
    const included = text.indexOf("\n", start) + 1;
    if (!text.startsWith("Include ", included)) continue;
    const end = text.indexOf("\n", included);
    return { text: text.slice(0, start) + (end === -1 ? "" : text.slice(end + 1)), made };
  }
  return { text, made: "nothing" };
}

/** Puts our lines into the file at `path`, making it 0600 when there is none. The result puts it back. */
export function addInclude(path: string, includedPath: string): () => void {
  const folder = dirname(path);
  const hadFolder = checkOwn(folder, "folder");
  const before = checkOwn(path, "file") ? readFileSync(path) : undefined;
  if (!hadFolder) mkdirSync(folder, { mode: 0o700 });
  const made = before !== undefined ? "nothing" : hadFolder ? "file" : "folder";
  // Latin-1 takes every byte there and back.
  const included = Buffer.from(includedPath).toString("latin1");
  const after = Buffer.from(withInclude(before?.toString("latin1") ?? "", included, made), "latin1");
  replaceUnchanged(path, before, after);
  return () => {
    if (before === undefined) removeInclude(path);
    else replaceUnchanged(path, after, before);
  };
}

/** Takes our lines out again, and what was made for them. False: there are none. */
export function removeInclude(path: string): boolean {
  if (!checkOwn(dirname(path), "folder") || !checkOwn(path, "file")) return false;
  const before = readFileSync(path);
  const { text, made } = withoutInclude(before.toString("latin1"));
  const rest = Buffer.from(text, "latin1");
  if (rest.equals(before)) return false;
  if (rest.length > 0 || made === "nothing") {
    replaceUnchanged(path, before, rest);
    return true;
  }
  rmSync(path);
  if (made === "folder") {
    try {
      rmdirSync(dirname(path));
    } catch {
      // Somebody has put something else into it.
    }
  }
  return true;
}

/** False: nothing is there. Throws ERR_PERMISSION for what is not this person's own. */
function checkOwn(path: string, kind: "file" | "folder"): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  const refuse = (why: string) =>
    new QfError("ERR_PERMISSION", `${path} ${why}, so it is left alone`, {
      hint: "save what qf ssh-config print says and Include it at its top yourself",
    });
  if (found.isSymbolicLink()) throw refuse("is a symbolic link");
  if (kind === "file" ? !found.isFile() : !found.isDirectory()) throw refuse(`is no ${kind}`);
  if (!isOwn(found)) throw refuse("belongs to somebody else");
  if (platform.openssh === "unix" && (found.mode & 0o022) !== 0) throw refuse("can be written by others");
  return true;
}

/** Windows has no owners and modes here: OpenSSH for Windows itself refuses what others may write. */
export function isOwn(found: Stats): boolean {
  return platform.openssh === "windows" || found.uid === process.getuid?.();
}

/** Writes `after` in place of `before`, unless somebody else was quicker. Undefined: no file. */
function replaceUnchanged(path: string, before: Buffer | undefined, after: Buffer): void {
  if (before !== undefined && platform.openssh === "windows") {
    rewriteUnchanged(path, before, after);
    return;
  }
  const fresh = `${path}.${newId()}.new`;
  const mode = before === undefined ? 0o600 : lstatSync(path).mode & 0o777;
  writeFileSync(fresh, after, { mode, flag: "wx" });
  try {
    chmodSync(fresh, mode); // The umask does not count.
    const now = lstatSync(path, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(path);
    const isSame = before === undefined ? now === undefined : now?.equals(before) === true;
    if (!isSame) throw new QfError("ERR_CONFLICT", `${path} was changed just now`, { hint: "try again" });
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

/** On Windows, where a file that is renamed into place loses who may read the one before. */
function rewriteUnchanged(path: string, before: Buffer, after: Buffer): void {
  if (!readFileSync(path).equals(before)) {
    throw new QfError("ERR_CONFLICT", `${path} was changed just now`, { hint: "try again" });
  }
  writeFileSync(path, after);
}
