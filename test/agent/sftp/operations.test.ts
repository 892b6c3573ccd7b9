/** What the server tells of itself: each operation, its outcome, and what went through a file. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OpenFlag, Request } from "../../../src/agent/sftp/protocol.ts";
import { SshWriter } from "../../../src/base/ssh-buffer.ts";
import { ourServerCommand, RawSftp, runBatch, words } from "../../support/sftp.ts";
import { tempFolder } from "../../support/temp-folder.ts";

interface Entry {
  readonly op: string;
  readonly path: string;
  readonly status: number;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly sha256?: string | null;
  readonly [key: string]: unknown;
}

function entriesOf(journal: string): Entry[] {
  const text = readFileSync(journal, "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function listening(argv: { readOnly?: boolean } = {}) {
  const folder = tempFolder();
  const journal = join(folder, "journal");
  mkdirSync(join(folder, "in"));
  writeFileSync(join(folder, "in/file"), "0123456789");
  symlinkSync("file", join(folder, "in/link"));
  const sftp = new RawSftp({ folder: join(folder, "in"), journal, ...argv });
  await sftp.greet();
  return { folder: join(folder, "in"), sftp, entries: () => entriesOf(journal) };
}

const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");
const { read, write, create, truncate } = OpenFlag;
const WRITING = write | create | truncate;

async function write3(sftp: RawSftp, handle: Buffer, pieces: readonly (readonly [number, string])[]) {
  for (const [offset, text] of pieces) {
    await sftp.status(Request.write, words(handle).uint64(BigInt(offset)).string(Buffer.from(text)));
  }
  await sftp.status(Request.close, words(handle));
}

test("a file written from its first byte to its last is told of with its digest", async () => {
  const { folder, sftp, entries } = await listening();
  await write3(sftp, await sftp.open("new", WRITING), [
    [0, "abc"],
    [3, "def"],
  ]);
  await sftp.end();
  const [open, close] = entries();
  expect(open).toMatchObject({
    op: "open",
    path: join(folder, "new"),
    status: 0,
    flags: { write: true, read: false },
  });
  expect(close).toMatchObject({
    op: "close",
    bytesRead: 0,
    bytesWritten: 6,
    sha256: sha256("abcdef"),
    status: 0,
  });
});

test.each([
  [
    "out of order",
    WRITING,
    [
      [3, "def"],
      [0, "abc"],
    ],
  ],
  ["over a longer one", write, [[0, "abc"]]],
  [
    "twice",
    WRITING,
    [
      [0, "abc"],
      [0, "abc"],
    ],
  ],
  [
    "with a hole",
    WRITING,
    [
      [0, "abc"],
      [10, "def"],
    ],
  ],
] as const)("a file written %s has counts, but no digest", async (_, flags, pieces) => {
  const { sftp, entries } = await listening();
  await write3(sftp, await sftp.open("file", flags), pieces);
  await sftp.end();
  const bytesWritten = pieces.reduce((sum, [, text]) => sum + text.length, 0);
  expect(entries()[1]).toMatchObject({ op: "close", bytesWritten, sha256: null });
});

test("a file read whole has a digest, one read in part has none", async () => {
  const { sftp, entries } = await listening();
  for (const length of [10, 100, 5]) {
    const handle = await sftp.open("file", read);
    await sftp.call(Request.read, words(handle).uint64(0n).uint32(length));
    await sftp.status(Request.close, words(handle));
  }
  await sftp.end();
  const closes = entries().filter(({ op }) => op === "close");
  expect(closes.map(({ bytesRead, sha256: digest }) => [bytesRead, digest])).toEqual([
    [10, sha256("0123456789")],
    [10, sha256("0123456789")],
    [5, null],
  ]);
});

test("a client that leaves with files open has closed them, as far as is told", async () => {
  const { sftp, entries } = await listening();
  await sftp.status(
    Request.write,
    words(await sftp.open("new", WRITING))
      .uint64(0n)
      .string(Buffer.from("ab")),
  );
  await sftp.end();
  expect(entries()[1]).toMatchObject({ op: "close", bytesWritten: 2, sha256: sha256("ab") });
});

test("every change is told of with absolute paths and its outcome", async () => {
  const { folder, sftp, entries } = await listening();
  const at = (name: string) => join(folder, name);
  await sftp.status(Request.mkdir, words("made").uint32(0));
  await sftp.status(Request.rmdir, words("made"));
  await sftp.status(Request.rename, words("file", "renamed"));
  await sftp.status(Request.rename, words("nothing", "renamed"));
  await sftp.status(Request.extended, words("posix-rename@openssh.com", "renamed", "file"));
  await sftp.status(Request.symlink, words("text", "soft"));
  await sftp.status(Request.extended, words("hardlink@openssh.com", "file", at("hard")));
  await sftp.status(Request.setstat, words("hard").uint32(4).uint32(0o600));
  await sftp.status(Request.remove, words("hard"));
  await sftp.end();
  expect(entries()).toEqual([
    { op: "mkdir", path: at("made"), status: 0 },
    { op: "rmdir", path: at("made"), status: 0 },
    { op: "rename", path: at("file"), target: at("renamed"), replace: false, status: 0 },
    { op: "rename", path: at("nothing"), target: at("renamed"), replace: false, status: 2 },
    { op: "rename", path: at("renamed"), target: at("file"), replace: true, status: 0 },
    { op: "symlink", path: at("soft"), target: "text", status: 0 },
    { op: "link", path: at("hard"), target: at("file"), status: 0 },
    { op: "setstat", path: at("hard"), attributes: { permissions: 0o600 }, status: 0 },
    { op: "remove", path: at("hard"), status: 0 },
  ]);
});

test("what read-only mode denies is told of as denied", async () => {
  const { folder, sftp, entries } = await listening({ readOnly: true });
  await sftp.status(Request.remove, words("file"));
  await sftp.call(Request.open, words("file").uint32(write).uint32(0));
  await sftp.end();
  expect(entries()).toMatchObject([
    { op: "remove", path: join(folder, "file"), status: 3 },
    { op: "open", path: join(folder, "file"), status: 3 },
  ]);
});

test("an operation that cannot be recorded does not happen", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "file"), "0123456789");
  const sftp = new RawSftp({ folder, journal: "refuse" });
  await sftp.greet();
  expect(await sftp.status(Request.remove, words("file"))).toBe(4);
  expect(await sftp.status(Request.open, words("new").uint32(WRITING).uint32(0))).toBe(4);
  expect(await sftp.status(Request.stat, words("nothing"))).toBe(2);
  expect((await sftp.end()).status).toBe(0);
  expect([existsSync(join(folder, "file")), existsSync(join(folder, "new"))]).toEqual([true, false]);
});

test("sftp's own transfers of several packets are told of with their digests", async () => {
  const folder = tempFolder();
  const content = Buffer.alloc(1_000_001, "0123456789abcdef_");
  writeFileSync(join(folder, "here"), content);
  const server = ourServerCommand("-l", "journal");
  const { status } = await runBatch({ server, folder, batch: ["put here there", "get there back"] });
  expect(status).toBe(0);
  const closes = entriesOf(join(folder, "journal")).filter(({ op }) => op === "close");
  expect(
    closes.map(({ bytesRead, bytesWritten, sha256: digest }) => [bytesRead, bytesWritten, digest]),
  ).toEqual([
    [0, 1_000_001, sha256(content)],
    [1_000_001, 0, sha256(content)],
  ]);
});

test("a pipe that nobody else has open does not hold the server up", async () => {
  const { folder, sftp } = await listening();
  Bun.spawnSync(["mkfifo", join(folder, "pipe")]);
  const handle = await sftp.open("pipe", read);
  expect(await sftp.status(Request.close, new SshWriter().string(handle))).toBe(0);
  await expect(sftp.open("pipe", write)).rejects.toThrow("status");
  await sftp.end();
});
