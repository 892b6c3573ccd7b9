/** The server packet by packet: its bounds, and what it does at them. */
import { expect, test } from "bun:test";
import { existsSync, linkSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HANDLES_MAX, OpenFlag, Request, Status } from "../../../src/agent/sftp/protocol.ts";
import { SshWriter } from "../../../src/base/ssh-buffer.ts";
import { framed, RawSftp, serveSftp, words } from "../../support/sftp.ts";
import { tempFolder } from "../../support/temp-folder.ts";

function populated(): string {
  const folder = join(tempFolder(), "inside");
  mkdirSync(join(folder, "folder"), { recursive: true });
  writeFileSync(join(folder, "file"), "0123456789");
  return folder;
}

test("limits@openssh.com says what is kept: a longer READ gives less, a longer packet ends all", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "file"), Buffer.alloc(400_000, 7));
  const sftp = await serveSftp({ folder });
  const { fields } = await sftp.call(Request.extended, words("limits@openssh.com"));
  const [packet, read, write, handles] = [1, 2, 3, 4].map(() => Number(fields.uint64()));
  expect({ packet, read, write, handles }).toEqual({
    packet: 262_144,
    read: 261_120,
    write: 261_120,
    handles: HANDLES_MAX,
  });
  const file = await sftp.open("file", OpenFlag.read | OpenFlag.write);
  const data = await sftp.call(Request.read, words(file).uint64(0n).uint32(400_000));
  expect(data.fields.string(500_000).length).toBe(261_120);
  const most = words(file).uint64(0n).string(Buffer.alloc(261_120));
  expect(await sftp.status(Request.write, most)).toBe(Status.ok);
  const header = Buffer.alloc(5);
  header.writeUInt32BE(262_145);
  sftp.send(header);
  expect(await sftp.end()).toMatchObject({ status: 255 });
});

const BROKEN: Record<string, Buffer> = {
  "an empty packet": framed(Buffer.alloc(0)),
  "a type without an id": framed(Buffer.of(Request.stat)),
  "half an id": framed(Buffer.of(Request.stat, 0, 0)),
  "a path longer than its packet": framed(Buffer.of(Request.stat, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x61)),
  "OPEN without flags": framed(
    new SshWriter().uint8(Request.open).uint32(1).raw(words("file").toBuffer()).toBuffer(),
  ),
  "attributes that end early": framed(
    new SshWriter()
      .uint8(Request.setstat)
      .uint32(1)
      .raw(words("file").uint32(1).uint32(0).toBuffer())
      .toBuffer(),
  ),
  "more extended attributes than bytes": framed(
    new SshWriter()
      .uint8(Request.setstat)
      .uint32(1)
      .raw(words("file").uint32(0x8000_0000).uint32(0xffff_ffff).toBuffer())
      .toBuffer(),
  ),
  "a second INIT": framed(new SshWriter().uint8(Request.init).uint32(3).toBuffer()),
  "half a packet": Buffer.of(0, 0, 0, 9, Request.stat, 0),
  "a huge length": Buffer.of(0xff, 0xff, 0xff, 0xff),
  "what is another protocol": Buffer.from("GET / HTTP/1.1\r\n\r\n"),
};

test.each(Object.entries(BROKEN))("the server ends with one line at most at %s", async (_, bytes) => {
  const sftp = await serveSftp({ folder: populated() });
  sftp.send(bytes);
  const { status, stderr } = await sftp.end();
  expect(status).toBe(255);
  expect(stderr).toMatch(/^(qf: error: the SFTP client sent what is not SFTP: [a-zA-Z ]+\n)?$/);
});

test("the server ends at a first packet that is not INIT, and does nothing of it", async () => {
  const folder = populated();
  const sftp = new RawSftp({ folder });
  sftp.send(framed(new SshWriter().uint8(Request.remove).uint32(1).raw(words("file").toBuffer()).toBuffer()));
  expect((await sftp.end()).status).toBe(255);
  expect(existsSync(join(folder, "file"))).toBe(true);
});

test("home-directory gives the home of an account, and one's own without a name", async () => {
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const own = accounts.find(([, , uid]) => uid === String(process.getuid?.()));
  const root = accounts.find(([name]) => name === "root");
  const sftp = await serveSftp({ folder: populated() });
  for (const [name, account] of [
    ["", own],
    ["root", root],
  ] as const) {
    const { fields } = await sftp.call(Request.extended, words("home-directory", name));
    expect([fields.uint32(), fields.text(4096)]).toEqual([1, account?.[5] ?? ""]);
  }
  expect(await sftp.status(Request.extended, words("home-directory", "no-such-user"))).toBe(Status.failure);
  await sftp.end();
});

test("a client of a newer version is answered with version 3, one of an older one not at all", async () => {
  for (const [version, status] of [
    [6, 0],
    [3, 0],
    [2, 255],
  ] as const) {
    const sftp = new RawSftp({ folder: populated() });
    sftp.send(framed(new SshWriter().uint8(Request.init).uint32(version).toBuffer()));
    if (status === 0) expect((await sftp.reply()).id).toBe(3);
    expect((await sftp.end()).status).toBe(status);
  }
});

test("copy-data copies a part to a place, and no file into itself under whatever name", async () => {
  const folder = populated();
  linkSync(join(folder, "file"), join(folder, "hard"));
  const sftp = await serveSftp({ folder });
  const copy = (from: Buffer, to: Buffer, [at, length, there]: readonly [number, number, number]) =>
    sftp.status(
      Request.extended,
      words("copy-data", from).uint64(BigInt(at)).uint64(BigInt(length)).string(to).uint64(BigInt(there)),
    );
  const file = await sftp.open("file", OpenFlag.read | OpenFlag.write);
  const hard = await sftp.open("hard", OpenFlag.read | OpenFlag.write);
  const other = await sftp.open("other", OpenFlag.write | OpenFlag.create);
  expect(await copy(file, other, [2, 3, 1])).toBe(Status.ok);
  expect(await copy(file, file, [0, 0, 5])).toBe(Status.failure);
  expect(await copy(file, hard, [0, 0, 5])).toBe(Status.failure);
  expect(await copy(file, other, [100, 0, 0])).toBe(Status.ok);
  await sftp.end();
  expect(readFileSync(join(folder, "other"), "latin1")).toBe("\0" + "234");
  expect(readFileSync(join(folder, "file"), "latin1")).toBe("0123456789");
});

test.each([
  ["from", "/dev/zero", "other"],
  ["to", "file", "/dev/null"],
])("copy-data copies nothing %s what is no file, which may have no end", async (_name, source, target) => {
  const sftp = await serveSftp({ folder: populated() });
  const from = await sftp.open(source, OpenFlag.read);
  const to = await sftp.open(target, OpenFlag.write | OpenFlag.create);
  const fields = words("copy-data", from).uint64(0n).uint64(0n).string(to).uint64(0n);
  expect(await sftp.status(Request.extended, fields)).toBe(Status.failure);
  await sftp.end();
});

test("a client that leaves in the middle of its answers ends the server without a word", async () => {
  const folder = populated();
  writeFileSync(join(folder, "big"), Buffer.alloc(2_000_000));
  const sftp = await serveSftp({ folder });
  const handle = await sftp.open("big", OpenFlag.read);
  const request = new SshWriter()
    .uint8(Request.read)
    .uint32(1)
    .raw(words(handle).uint64(0n).uint32(261_120).toBuffer());
  sftp.send(Buffer.concat(Array.from({ length: 20 }, () => framed(request.toBuffer()))));
  expect(await sftp.leave()).toEqual({ status: 0, stderr: "" });
});

test("a request that nobody knows is answered as unsupported, whatever it holds", async () => {
  const sftp = await serveSftp({ folder: populated() });
  for (const type of [0, 2, 21, 22, 99, 101, 105, 199, 201, 255]) {
    expect(await sftp.status(type, words("file"))).toBe(Status.unsupported);
  }
  expect((await sftp.end()).status).toBe(0);
});

test("a path with NUL is refused as a whole, not cut off", async () => {
  const folder = populated();
  const sftp = await serveSftp({ folder });
  const attributes = (path: string) => words(path).uint32(0);
  for (const [type, fields] of [
    [Request.remove, words("file\0.txt")],
    [Request.stat, words("file\0")],
    [
      Request.open,
      words("file\0")
        .uint32(OpenFlag.write | OpenFlag.truncate)
        .uint32(0),
    ],
    [Request.mkdir, attributes("new\0")],
    [Request.rename, words("file\0x", "renamed")],
    [Request.rename, words("file", "renamed\0x")],
    [Request.symlink, words("text\0x", "new-link")],
    [Request.realpath, words("file\0")],
    [Request.extended, words("statvfs@openssh.com", "file\0")],
    [Request.extended, words("home-directory", "root\0")],
  ] as const) {
    expect(await sftp.status(type, fields)).toBe(Status.badMessage);
  }
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("0123456789");
  expect((await sftp.end()).status).toBe(0);
});

test("no more handles than the limit are open at once, and closing gives room", async () => {
  const sftp = await serveSftp({ folder: populated() });
  const handles: Buffer[] = [];
  for (let index = 0; index < HANDLES_MAX; index++) {
    const isFolder = index % 2 === 0;
    const reply = isFolder
      ? await sftp.call(Request.opendir, words("folder"))
      : await sftp.call(Request.open, words("file").uint32(OpenFlag.read).uint32(0));
    expect(reply.type).toBe(102);
    handles.push(Buffer.from(reply.fields.string(256)));
  }
  expect(await sftp.status(Request.opendir, words("folder"))).toBe(Status.failure);
  expect(
    await sftp.status(
      Request.open,
      words("new")
        .uint32(OpenFlag.write | OpenFlag.create)
        .uint32(0),
    ),
  ).toBe(4);
  expect(await sftp.status(Request.close, words(handles[0] ?? ""))).toBe(Status.ok);
  expect(await sftp.status(Request.close, words(handles[0] ?? ""))).not.toBe(Status.ok);
  expect(await sftp.open("file", OpenFlag.read)).toBeInstanceOf(Buffer);
  expect((await sftp.end()).status).toBe(0);
});

test("a file that is appended to takes every write at its end", async () => {
  const folder = populated();
  const sftp = await serveSftp({ folder });
  const handle = await sftp.open("file", OpenFlag.write | OpenFlag.append);
  expect(await sftp.status(Request.write, words(handle).uint64(0n).string(Buffer.from("ab")))).toBe(
    Status.ok,
  );
  expect(await sftp.status(Request.write, words(handle).uint64(0n).string(Buffer.from("c")))).toBe(Status.ok);
  await sftp.end();
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("0123456789abc");
});

test("offsets beyond what a file can have are answered, not guessed", async () => {
  const folder = populated();
  const sftp = await serveSftp({ folder });
  const handle = await sftp.open("file", OpenFlag.read | OpenFlag.write);
  const at = (offset: bigint) => words(handle).uint64(offset);
  expect(await sftp.status(Request.read, at(0xffff_ffff_ffff_ffffn).uint32(10))).toBe(Status.badMessage);
  expect(await sftp.status(Request.read, at(2n ** 40n).uint32(10))).toBe(Status.eof);
  expect(await sftp.status(Request.write, at(0x8000_0000_0000_0000n).string(Buffer.from("x")))).toBe(5);
  expect(
    await sftp.status(
      Request.fsetstat,
      words(handle)
        .uint32(1)
        .uint64(2n ** 63n),
    ),
  ).toBe(Status.badMessage);
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("0123456789");
  await sftp.end();
});

test("a full disk is a failure that says so, and the server goes on", async () => {
  const sftp = await serveSftp({ folder: populated() });
  const handle = await sftp.open("/dev/full", OpenFlag.write);
  const reply = await sftp.call(Request.write, words(handle).uint64(0n).string(Buffer.from("x")));
  expect([reply.fields.uint32(), reply.fields.text(100)]).toEqual([
    Status.failure,
    "No space left on device",
  ]);
  expect(await sftp.status(Request.close, words(handle))).toBe(Status.ok);
  await sftp.end();
});

test("a file that shrinks while it is read ends where it ends now", async () => {
  const folder = populated();
  const sftp = await serveSftp({ folder });
  const handle = await sftp.open("file", OpenFlag.read);
  truncateSync(join(folder, "file"), 4);
  const { fields } = await sftp.call(Request.read, words(handle).uint64(0n).uint32(10));
  expect(fields.string(10).toString()).toBe("0123");
  await sftp.end();
});

test("hundreds of requests at once are answered in their order", async () => {
  const sftp = await serveSftp({ folder: populated() });
  const packet = (id: number) =>
    framed(
      new SshWriter()
        .uint8(Request.stat)
        .uint32(id)
        .raw(words(id % 3 === 0 ? "no" : "file").toBuffer())
        .toBuffer(),
    );
  sftp.send(Buffer.concat(Array.from({ length: 700 }, (_, id) => packet(id))));
  for (let id = 0; id < 700; id++) {
    const reply = await sftp.reply();
    expect([reply.id, reply.type]).toEqual([id, id % 3 === 0 ? 101 : 105]);
  }
  expect((await sftp.end()).status).toBe(0);
});

test("a folder of many files is listed whole, in answers a client can hold", async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, "many"));
  for (let index = 0; index < 1_500; index++)
    writeFileSync(join(folder, "many", `a rather long name ${index}`), "");
  const sftp = await serveSftp({ folder });
  const handle = (await sftp.call(Request.opendir, words("many"))).fields.string(256);
  const names = new Set<string>();
  for (;;) {
    const reply = await sftp.call(Request.readdir, words(handle));
    if (reply.type === 101) break;
    let bytes = 0;
    for (let count = reply.fields.uint32(); count > 0; count--) {
      const name = reply.fields.text(256);
      bytes += name.length + reply.fields.string(1024).length + reply.fields.raw(32).length + 8;
      names.add(name);
    }
    expect(bytes).toBeLessThanOrEqual(32_768);
  }
  expect(names.size).toBe(1_502);
  await sftp.end();
});
