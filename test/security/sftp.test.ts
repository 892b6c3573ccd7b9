/**
 * Attacks on the SFTP server: links and dots out of where one is, the server's own memory, floods, rubbish.
 *
 * The server has no walls of its own within the file system: it is the user, and the kernel says what
 * that user may do. So each attack runs as somebody who may not, where the test has the right to do so.
 */
import { beforeEach, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { OpenFlag, Request, Status } from "../../src/agent/sftp/protocol.ts";
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import { framed, NOBODY, RawSftp, words } from "../support/sftp.ts";
import { tempFolder } from "../support/temp-folder.ts";

const isRoot = process.getuid?.() === 0;
const someone = isRoot ? { uid: NOBODY } : {};
/** What a server of one's own would take anyway is some 40 MB; this is what packets may add. */
const RSS_BYTES_MAX = 200 * 1024 * 1024;
const { read, write, create, truncate, append } = OpenFlag;

let folder = "";
let secret = "";

beforeEach(() => {
  const outer = tempFolder();
  chmodSync(outer, 0o711);
  folder = join(outer, "home");
  mkdirSync(folder);
  mkdirSync(join(outer, "home2"), { mode: 0o700 });
  secret = join(outer, "home2/secret");
  writeFileSync(secret, "secret", { mode: 0o600 });
  writeFileSync(join(folder, "file"), "mine");
  if (isRoot) {
    chownSync(folder, NOBODY, NOBODY);
    chownSync(join(folder, "file"), NOBODY, NOBODY);
  }
});

async function serve(options: { readOnly?: boolean } = {}): Promise<RawSftp> {
  const sftp = new RawSftp({ folder, ...someone, ...options });
  await sftp.greet();
  return sftp;
}

const opening = (path: string, flags: number) => words(path).uint32(flags).uint32(0);

test.skipIf(!isRoot)(
  "no way of naming a file reaches what the user may not: dots, links, links to folders",
  async () => {
    const sftp = await serve();
    await sftp.status(Request.symlink, words(secret, "to-file"));
    await sftp.status(Request.symlink, words("../home2", "to-folder"));
    for (const path of [secret, "../home2/secret", "to-file", "to-folder/secret"]) {
      for (const flags of [read, write, write | truncate, write | append, write | create]) {
        expect(await sftp.status(Request.open, opening(path, flags))).toBe(Status.permissionDenied);
      }
      for (const [type, fields] of [
        [Request.stat, words(path)],
        [Request.setstat, words(path).uint32(4).uint32(0o777)],
        [Request.extended, words("statvfs@openssh.com", path)],
      ] as const) {
        expect(await sftp.status(type, fields)).toBe(Status.permissionDenied);
      }
    }
    for (const [type, fields] of [
      [Request.remove, words("to-folder/secret")],
      [Request.rename, words("../home2/secret", "taken")],
      [Request.rename, words("file", "to-folder/file")],
      [Request.extended, words("posix-rename@openssh.com", "../home2/secret", "taken")],
      [Request.extended, words("hardlink@openssh.com", "to-folder/secret", "taken")],
      [Request.mkdir, words("to-folder/new").uint32(0)],
      [Request.opendir, words("to-folder")],
    ] as const) {
      expect(await sftp.status(type, fields)).toBe(Status.permissionDenied);
    }
    expect((await sftp.end()).status).toBe(0);
    expect(readFileSync(secret, "utf8")).toBe("secret");
  },
);

test.skipIf(!isRoot)(
  "the user owns nothing of root's by way of the server: chown, setuid, devices",
  async () => {
    const sftp = await serve();
    expect(await sftp.status(Request.setstat, words("file").uint32(2).uint32(0).uint32(0))).toBe(3);
    expect(await sftp.status(Request.open, opening("/etc/shadow", read))).toBe(Status.permissionDenied);
    expect(await sftp.status(Request.open, opening("/etc/passwd", write | append))).toBe(
      Status.permissionDenied,
    );
    expect(await sftp.status(Request.open, opening("/dev/mem", read))).not.toBe(-1);
    await sftp.end();
  },
);

test("the server's own memory, environment and descriptors are closed to the client", async () => {
  const sftp = await serve();
  for (const name of ["mem", "environ", "auxv"]) {
    for (const path of [`/proc/self/${name}`, `/proc/${sftp.pid}/${name}`, `/proc/thread-self/${name}`]) {
      expect([path, await sftp.status(Request.open, opening(path, read))]).toEqual([
        path,
        Status.permissionDenied,
      ]);
    }
    expect(await sftp.status(Request.open, opening(`/proc/self/${name}`, read | write))).toBe(3);
  }
  await sftp.end();
});

test("every thread of the server is the user", async () => {
  const sftp = await serve();
  const tasks = Array.from(
    new Bun.Glob("*/status").scanSync({ cwd: `/proc/${sftp.pid}/task`, onlyFiles: false }),
  );
  expect(tasks.length).toBeGreaterThan(0);
  const uid = isRoot ? NOBODY : process.getuid?.();
  for (const task of tasks) {
    const status = readFileSync(`/proc/${sftp.pid}/task/${task}`, "utf8");
    expect(status).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, "m"));
  }
  await sftp.end();
});

test("a link that is swapped between two requests changes nothing of what is open", async () => {
  const sftp = await serve();
  await sftp.status(Request.symlink, words("file", "swapped"));
  const handle = await sftp.open("swapped", read);
  await sftp.status(Request.remove, words("swapped"));
  await sftp.status(Request.symlink, words(secret, "swapped"));
  const { fields } = await sftp.call(Request.read, words(handle).uint64(0n).uint32(100));
  expect(fields.string(100).toString()).toBe("mine");
  await sftp.end();
});

test("requests without end whose answers nobody reads leave the server's memory flat", async () => {
  writeFileSync(join(folder, "big"), Buffer.alloc(4 * 1024 * 1024, 1));
  const sftp = await serve();
  const handle = await sftp.open("big", read);
  const request = framed(
    new SshWriter()
      .uint8(Request.read)
      .uint32(7)
      .raw(words(handle).uint64(0n).uint32(261_120).toBuffer())
      .toBuffer(),
  );
  // 200 MB of answers for which there is no room anywhere.
  sftp.send(Buffer.concat(Array.from({ length: 800 }, () => request)));
  await Bun.sleep(100);
  for (let count = 0; count < 800; count++) expect((await sftp.reply()).type).toBe(103);
  const { status, maxRssBytes } = await sftp.end();
  expect(status).toBe(0);
  expect(maxRssBytes).toBeLessThan(RSS_BYTES_MAX);
});

/** Names within the folder, or nowhere: what a mutation must not reach, the user `nobody` cannot. */
const name = fc.oneof(
  fc.constantFrom("file", "a", "b", "a/b", "link", "", "a\0b", "x".repeat(300), "y/".repeat(2500), "\uffff"),
  fc.string({ maxLength: 12 }).map((text) => `a/${text}`),
);
const fieldBytes = fc.oneof(
  name.map((text) => words(text).toBuffer()),
  fc.nat().map((value) => new SshWriter().uint32(value).toBuffer()),
  fc
    .constantFrom(0, 1, 2, 4, 8, 0xffff_ffff, 0x8000_0000)
    .map((value) => new SshWriter().uint32(value).toBuffer()),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => new SshWriter().uint64(value).toBuffer()),
  // Handles that may be there.
  fc.integer({ min: 0, max: 5 }).map((value) => new SshWriter().string(Buffer.of(0, 0, 0, value)).toBuffer()),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);
const extensionName = fc
  .constantFrom(
    "posix-rename@openssh.com",
    "statvfs@openssh.com",
    "fstatvfs@openssh.com",
    "hardlink@openssh.com",
    "fsync@openssh.com",
    "lsetstat@openssh.com",
    "limits@openssh.com",
    "expand-path@openssh.com",
    "copy-data",
    "home-directory",
    "users-groups-by-id@openssh.com",
    "?",
  )
  .map((text) => words(text).toBuffer());
const body = fc.oneof(
  fc.tuple(fc.integer({ min: 3, max: 20 }), fc.nat(), fc.array(fieldBytes, { maxLength: 6 })),
  fc.tuple(
    fc.constant<number>(Request.extended),
    fc.nat(),
    fc
      .tuple(extensionName, fc.array(fieldBytes, { maxLength: 6 }))
      .map(([first, fields]) => [first, ...fields]),
  ),
);
const packet = body.map(([type, id, fields]) =>
  framed(new SshWriter().uint8(type).uint32(id).raw(Buffer.concat(fields)).toBuffer()),
);

test("random packets are answered or end the server: no hang, no stack, no growth", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(packet, { minLength: 1, maxLength: 120 }), async (packets) => {
      const sftp = await serve();
      sftp.send(Buffer.concat(packets));
      const { status, stderr, maxRssBytes } = await sftp.end();
      expect([0, 255]).toContain(status);
      expect(stderr).toMatch(/^(qf: error: the SFTP client sent what is not SFTP: [a-zA-Z ]+\n)?$/);
      expect(maxRssBytes).toBeLessThan(RSS_BYTES_MAX);
    }),
    { numRuns: 40, endOnFailure: true },
  );
}, 60_000);

test("a stream of random bytes ends the server, or waits for more of it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 4096 }), async (bytes) => {
      const sftp = await serve();
      sftp.send(bytes);
      expect([0, 255]).toContain((await sftp.end()).status);
    }),
    { numRuns: 15, endOnFailure: true },
  );
}, 60_000);
