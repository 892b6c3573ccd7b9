/** Read-only mode: everything that changes is denied before the file system is touched; the rest works. */
import { expect, test } from "bun:test";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { OpenFlag, Request, Status } from "../../../src/agent/sftp/protocol.ts";
import { serveSftp, words } from "../../support/sftp.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const OWN_UID = process.getuid?.() ?? 0;
const OWN_GID = process.getgid?.() ?? 0;
const OLD_SECONDS = 1_500_000_000;

function populated(): string {
  const folder = join(tempFolder(), "inside");
  mkdirSync(join(folder, "empty-folder"), { recursive: true });
  writeFileSync(join(folder, "file"), "content", { mode: 0o644 });
  writeFileSync(join(folder, "other"), "other");
  linkSync(join(folder, "file"), join(folder, "hard"));
  symlinkSync("file", join(folder, "link"));
  symlinkSync("made-through-a-link", join(folder, "dangling"));
  for (const name of readdirSync(folder))
    if (name !== "dangling") utimesSync(join(folder, name), OLD_SECONDS, OLD_SECONDS);
  return folder;
}

/** All that a change would change; not when a file was last read. */
function pictureOf(folder: string): string[] {
  return readdirSync(folder).map((name) => {
    const { mode, size, mtimeMs, ctimeMs, nlink, uid, gid } = lstatSync(join(folder, name));
    return [name, mode, size, mtimeMs, ctimeMs, nlink, uid, gid].join(" ");
  });
}

const open = (path: string, flags: number) => [Request.open, words(path).uint32(flags).uint32(0)] as const;
const extended = (name: string, ...paths: string[]) => [Request.extended, words(name, ...paths)] as const;
const { read, write, append, create, truncate, exclusive } = OpenFlag;

const CHANGES = {
  "OPEN to write": open("file", write),
  "OPEN to read and write": open("file", read | write),
  "OPEN to append": open("file", append),
  "OPEN to read and append": open("file", read | append),
  "OPEN to create": open("new", read | create),
  "OPEN to create what is there": open("file", read | create),
  "OPEN to create through a link": open("dangling", read | create),
  "OPEN to create alone": open("new", read | create | exclusive),
  "OPEN to truncate": open("file", read | truncate),
  "OPEN to truncate through a link": open("link", read | truncate),
  "OPEN without reading, truncating": open("file", truncate),
  "SETSTAT of a size": [Request.setstat, words("file").uint32(1).uint64(0n)],
  "SETSTAT of an owner": [Request.setstat, words("file").uint32(2).uint32(OWN_UID).uint32(OWN_GID)],
  "SETSTAT of a mode": [Request.setstat, words("file").uint32(4).uint32(0o777)],
  "SETSTAT of times": [Request.setstat, words("file").uint32(8).uint32(1).uint32(1)],
  "SETSTAT of nothing": [Request.setstat, words("file").uint32(0)],
  REMOVE: [Request.remove, words("file")],
  "REMOVE of a link": [Request.remove, words("link")],
  MKDIR: [Request.mkdir, words("new").uint32(0)],
  RMDIR: [Request.rmdir, words("empty-folder")],
  RENAME: [Request.rename, words("file", "new")],
  SYMLINK: [Request.symlink, words("file", "new")],
  "posix-rename": extended("posix-rename@openssh.com", "file", "other"),
  hardlink: extended("hardlink@openssh.com", "file", "new"),
  lsetstat: [Request.extended, words("lsetstat@openssh.com", "link").uint32(8).uint32(1).uint32(1)],
} as const;

test("read-only mode denies every change and leaves everything as it was", async () => {
  const folder = populated();
  const before = pictureOf(folder);
  const sftp = await serveSftp({ folder, readOnly: true });
  const statuses: Record<string, number> = {};
  for (const [name, [type, fields]] of Object.entries(CHANGES))
    statuses[name] = await sftp.status(type, fields);
  const denied = Object.keys(CHANGES).map((name) => [name, Status.permissionDenied]);
  expect(statuses).toEqual(Object.fromEntries(denied));
  expect(pictureOf(folder)).toEqual(before);
  expect((await sftp.end()).status).toBe(0);
});

test("each of those changes something in write mode, so the table above is a table of changes", async () => {
  for (const [name, [type, fields]] of Object.entries(CHANGES)) {
    const folder = populated();
    const sftp = await serveSftp({ folder });
    const reply = await sftp.call(type, fields);
    const isDone = reply.type === 102 || reply.fields.uint32() === Status.ok;
    expect([name, isDone]).toEqual([name, true]);
    await sftp.end();
  }
});

test("read-only mode denies a change by handle, however the handle was had", async () => {
  const folder = populated();
  const before = pictureOf(folder);
  const sftp = await serveSftp({ folder, readOnly: true });
  const file = await sftp.open("file", read);
  const other = await sftp.open("other", read);
  const statuses = [
    await sftp.status(Request.write, words(file).uint64(0n).string(Buffer.from("x"))),
    await sftp.status(Request.fsetstat, words(file).uint32(1).uint64(0n)),
    await sftp.status(Request.fsetstat, words(file).uint32(4).uint32(0o777)),
    await sftp.status(Request.fsetstat, words(file).uint32(8).uint32(1).uint32(1)),
    await sftp.status(Request.extended, words("fsync@openssh.com", file)),
    await sftp.status(
      Request.extended,
      words("copy-data", file).uint64(0n).uint64(0n).string(other).uint64(0n),
    ),
  ];
  expect(new Set(statuses)).toEqual(new Set([Status.permissionDenied]));
  expect(pictureOf(folder)).toEqual(before);
  await sftp.end();
});

test("read-only mode answers everything that only asks", async () => {
  const folder = populated();
  const sftp = await serveSftp({ folder, readOnly: true });
  const file = await sftp.open("file", read);
  const { fields } = await sftp.call(Request.read, words(file).uint64(0n).uint32(100));
  expect(fields.string(100).toString()).toBe("content");
  for (const [type, request, reply] of [
    [Request.stat, words("file"), 105],
    [Request.lstat, words("link"), 105],
    [Request.fstat, words(file), 105],
    [Request.readlink, words("link"), 104],
    [Request.realpath, words("."), 104],
    [Request.opendir, words("."), 102],
    [Request.extended, words("statvfs@openssh.com", "."), 201],
    [Request.extended, words("fstatvfs@openssh.com", file), 201],
    [Request.extended, words("limits@openssh.com"), 201],
    [Request.extended, words("expand-path@openssh.com", "~"), 104],
    [Request.close, words(file), 101],
  ] as const) {
    expect((await sftp.call(type, request)).type).toBe(reply);
  }
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("content");
  expect(existsSync(join(folder, "made-through-a-link"))).toBe(false);
  await sftp.end();
});
