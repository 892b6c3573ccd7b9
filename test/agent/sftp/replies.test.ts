/** What the server answers, byte for byte beside OpenSSH's server. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openPipe } from "../../../src/agent/os/libc.ts";
import { TransferLog } from "../../../src/agent/sftp/audit.ts";
import { AttributeFlag, OpenFlag, Request } from "../../../src/agent/sftp/protocol.ts";
import { Replies } from "../../../src/agent/sftp/replies.ts";
import { SshWriter } from "../../../src/base/ssh-buffer.ts";
import { RawSftp, serveSftp, words } from "../../support/sftp.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const OLD_SECONDS = 1_500_000_000;

function populated(): string {
  const folder = join(tempFolder(), "inside");
  mkdirSync(folder);
  mkdirSync(join(folder, "folder"), { mode: 0o2750 });
  writeFileSync(join(folder, "file"), "0123456789", { mode: 0o640 });
  writeFileSync(join(folder, "special"), "", { mode: 0o600 });
  chmodSync(join(folder, "special"), 0o7654);
  symlinkSync("file", join(folder, "link"));
  symlinkSync("nowhere", join(folder, "dangling"));
  symlinkSync("loop", join(folder, "loop"));
  symlinkSync("/etc", join(folder, "away"));
  for (const name of ["folder", "file", "special"]) utimesSync(join(folder, name), OLD_SECONDS, OLD_SECONDS);
  return folder;
}

const LONG = "x".repeat(300);
const TOO_LONG = "x/".repeat(2500);
const ids = (...numbers: number[]): Buffer => {
  const writer = new SshWriter();
  for (const number of numbers) writer.uint32(number);
  return writer.toBuffer();
};

/** Requests whose answer is the same bytes from both servers. */
const QUESTIONS: Record<string, [type: number, fields: SshWriter]> = {
  "LSTAT of a file": [Request.lstat, words("file")],
  "LSTAT of a link": [Request.lstat, words("link")],
  "LSTAT of a folder": [Request.lstat, words("folder")],
  "LSTAT of special bits": [Request.lstat, words("special")],
  "LSTAT of a device": [Request.lstat, words("/dev/null")],
  "LSTAT of nothing": [Request.lstat, words("nothing")],
  "LSTAT of no name": [Request.lstat, words("")],
  "LSTAT of too long a name": [Request.lstat, words(LONG)],
  "LSTAT of too long a path": [Request.lstat, words(TOO_LONG)],
  "LSTAT below a file": [Request.lstat, words("file/below")],
  "STAT through a link": [Request.stat, words("link")],
  "STAT of a dangling link": [Request.stat, words("dangling")],
  "STAT of a loop": [Request.stat, words("loop")],
  "READLINK of a link": [Request.readlink, words("link")],
  "READLINK of a file": [Request.readlink, words("file")],
  "READLINK of nothing": [Request.readlink, words("nothing")],
  "REALPATH of no name": [Request.realpath, words("")],
  "REALPATH of a link": [Request.realpath, words("link")],
  "REALPATH of a dangling link": [Request.realpath, words("dangling")],
  "REALPATH of a loop": [Request.realpath, words("loop")],
  "REALPATH of what is not there yet": [Request.realpath, words("folder/new")],
  "REALPATH below nothing": [Request.realpath, words("nothing/new")],
  "REALPATH below a file": [Request.realpath, words("file/new")],
  "REALPATH above the root": [Request.realpath, words("/../../../..")],
  "REALPATH with dots and slashes": [Request.realpath, words(".//folder/./..///folder/../file")],
  "REALPATH through a link": [Request.realpath, words("away/passwd")],
  "REALPATH up from a link": [Request.realpath, words("away/..")],
  "REALPATH of a name that is not UTF-8": [Request.realpath, words(Buffer.from("\xff\xfe\xe9", "latin1"))],
  "OPEN of nothing": [Request.open, words("nothing").uint32(OpenFlag.read).uint32(0)],
  "OPEN of a folder to write": [Request.open, words("folder").uint32(OpenFlag.write).uint32(0)],
  "OPEN of a loop": [Request.open, words("loop").uint32(OpenFlag.read).uint32(0)],
  "OPENDIR of a file": [Request.opendir, words("file")],
  "OPENDIR of nothing": [Request.opendir, words("nothing")],
  "RMDIR of nothing": [Request.rmdir, words("nothing")],
  "REMOVE of nothing": [Request.remove, words("nothing")],
  "MKDIR below nothing": [Request.mkdir, words("nothing/new").uint32(0)],
  "RENAME of nothing": [Request.rename, words("nothing", "new")],
  "SETSTAT of nothing": [Request.setstat, words("nothing").uint32(AttributeFlag.permissions).uint32(0o600)],
  "SETSTAT of nothing to nothing": [Request.setstat, words("nothing").uint32(0)],
  "limits of an unknown extension": [Request.extended, words("nobody@example.com", "file")],
  "users-groups-by-id": [
    Request.extended,
    words("users-groups-by-id@openssh.com", ids(0, 1, 77_777), ids(0, 5, 66_666)),
  ],
  "users-groups-by-id of nobody": [Request.extended, words("users-groups-by-id@openssh.com", "", "")],
  "expand-path of an absolute path": [Request.extended, words("expand-path@openssh.com", "/etc/../etc")],
  "expand-path of a relative path": [Request.extended, words("expand-path@openssh.com", "folder/../file")],
  "expand-path of a home": [Request.extended, words("expand-path@openssh.com", "~root")],
  "expand-path below a home": [Request.extended, words("expand-path@openssh.com", "~root/new")],
  "expand-path of one's own home": [Request.extended, words("expand-path@openssh.com", "~")],
  "expand-path below one's own home": [Request.extended, words("expand-path@openssh.com", "~/new")],
  "expand-path of nobody's home": [Request.extended, words("expand-path@openssh.com", "~no-such-user/x")],
  "lsetstat of a size": [
    Request.extended,
    words("lsetstat@openssh.com", "link").uint32(AttributeFlag.size).uint64(0n),
  ],
  "lsetstat of a link's mode": [
    Request.extended,
    words("lsetstat@openssh.com", "link").uint32(4).uint32(0o600),
  ],
  "lsetstat of a file's mode": [
    Request.extended,
    words("lsetstat@openssh.com", "file").uint32(4).uint32(0o600),
  ],
  "lsetstat of a link's times": [
    Request.extended,
    words("lsetstat@openssh.com", "link").uint32(8).uint32(5).uint32(6),
  ],
  "posix-rename of nothing": [Request.extended, words("posix-rename@openssh.com", "nothing", "new")],
  "hardlink of nothing": [Request.extended, words("hardlink@openssh.com", "nothing", "new")],
  "statvfs of nothing": [Request.extended, words("statvfs@openssh.com", "nothing")],
  "CLOSE of no handle": [Request.close, words(ids(4711))],
  "READ of no handle": [Request.read, words(ids(4711)).uint64(0n).uint32(10)],
  "WRITE of no handle": [Request.write, words(ids(4711)).uint64(0n).string(Buffer.from("x"))],
  "FSTAT of no handle": [Request.fstat, words(ids(4711))],
  "FSETSTAT of no handle": [Request.fsetstat, words(ids(4711)).uint32(0)],
  "READDIR of no handle": [Request.readdir, words(ids(4711))],
  "a handle of another form": [Request.close, words("not a handle of ours")],
};

test("every question is answered with the bytes that OpenSSH's server answers with", async () => {
  const folder = populated();
  const [ours, theirs] = [await serveSftp({ folder }), await serveSftp({ folder, openssh: true })];
  for (const [name, [type, fields]] of Object.entries(QUESTIONS)) {
    const [mine, other] = [await ours.call(type, fields), await theirs.call(type, fields)];
    const isStatus = other.type === 101 && mine.type === 101;
    // What a status says in words is ours; its number is not.
    const bytesOf = ({ type, fields: reply }: typeof mine) =>
      `${name}: ${type} ${isStatus ? reply.uint32() : JSON.stringify(rest(reply).toString("latin1"))}`;
    expect(bytesOf(mine)).toBe(bytesOf(other));
  }
  expect((await ours.end()).status).toBe(0);
  await theirs.end();
});

function rest(reply: { position: number; raw(length: number): Buffer; isAtEnd: boolean }): Buffer {
  const bytes: Buffer[] = [];
  while (!reply.isAtEnd) bytes.push(reply.raw(1));
  return Buffer.concat(bytes);
}

test("READDIR gives the names, the lines and the attributes that OpenSSH's server gives", async () => {
  const folder = populated();
  writeFileSync(join(folder, "with\nnewline"), "");
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xe9])]), "");
  const listings: string[][] = [];
  for (const openssh of [false, true]) {
    const listing: string[] = [];
    for (const path of [".", "/usr/share", "/dev"]) {
      const sftp = await serveSftp({ folder, openssh });
      const handle = (await sftp.call(Request.opendir, words(path))).fields.string(256);
      for (;;) {
        const reply = await sftp.call(Request.readdir, words(handle));
        if (reply.type !== 104) break;
        for (let count = reply.fields.uint32(); count > 0; count--) {
          const [name, line] = [reply.fields.string(256), reply.fields.string(4096)];
          // Access times change as we look.
          const attributes = [reply.fields.raw(24).toString("hex"), reply.fields.raw(8).readUInt32BE(4)];
          listing.push([name.toString("latin1"), line.toString("latin1"), ...attributes].join("|"));
        }
      }
      await sftp.end();
    }
    listings.push(listing.filter((line) => !/\|[cbd].*(ptmx|tty|pts|null|random|zero|shm)/.test(line)));
  }
  expect(listings[0]?.length).toBeGreaterThan(50);
  expect(listings[0]).toEqual(listings[1] as string[]);
});

test("VERSION announces OpenSSH's extensions, in read-only mode without those that change", async () => {
  const folder = tempFolder();
  for (const readOnly of [false, true]) {
    const [ours, theirs] = [
      new RawSftp({ folder, readOnly }),
      new RawSftp({ folder, readOnly, openssh: true }),
    ];
    const [mine, other] = [await ours.greet(), await theirs.greet()];
    expect(mine).toEqual(other);
    await Promise.all([ours.end(), theirs.end()]);
  }
});

describe("file bytes in an answer", () => {
  const content = Buffer.alloc(200_000, "0123456789abcdef_");
  const DATA_HEADER_BYTES = 13;
  let folder = "";
  let fd = -1;
  let log = new TransferLog();
  beforeEach(() => {
    folder = tempFolder();
    writeFileSync(join(folder, "file"), content);
    fd = openSync(join(folder, "file"), "r");
    log = new TransferLog();
  });
  afterEach(() => closeSync(fd));

  const read = (replies: Replies, offset: number, length: number): boolean =>
    replies.data(1, { fd, path: Buffer.from("file"), isAppending: false, log }, { offset, length });

  test("are sent at once when they are many, and are in the digest either way", () => {
    const sent = join(folder, "sent");
    const outputFd = openSync(sent, "w");
    const replies = new Replies(outputFd);
    read(replies, 0, 1_000);
    expect(statSync(sent).size).toBe(0);
    read(replies, 1_000, 150_000);
    expect(statSync(sent).size).toBe(151_000 + 2 * DATA_HEADER_BYTES);
    read(replies, 151_000, 130_000);
    replies.flush();
    closeSync(outputFd);
    expect(statSync(sent).size).toBe(content.length + 3 * DATA_HEADER_BYTES);
    expect(log.finish(fd)).toMatchObject({
      bytesRead: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
    });
  });

  test("are counted when nobody takes them any more", () => {
    const { readFd, writeFd } = openPipe();
    closeSync(readFd);
    expect(() => read(new Replies(writeFd), 0, 150_000)).toThrow("EPIPE");
    closeSync(writeFd);
    expect(log.finish(fd)).toMatchObject({ bytesRead: 150_000, sha256: null });
  });
});
