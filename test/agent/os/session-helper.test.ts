/** The native program as the agent finds and starts it, and what it does with orders that make no sense. */
import { describe, expect, test } from "bun:test";
import { closeSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { encodeSpec } from "../../../src/agent/os/helper-frames.ts";
import { openInputPipe, openOutputPipe } from "../../../src/agent/os/pipes.ts";
import { helperPath, startHelper, unpackHelper } from "../../../src/agent/os/session-helper.ts";

const path = helperPath() ?? "";

test("the helper is unpacked into memory that nobody can change, and runs from there", () => {
  const unpacked = unpackHelper(readFileSync(path).toString("base64")) ?? "";
  expect(readlinkSync(unpacked)).toContain("memfd:qf-session");
  expect(Bun.spawnSync([unpacked, "probe"]).exitCode).toBe(0);
  expect(() => writeFileSync(unpacked, "#!/bin/sh\n", { flag: "r+" })).toThrow();
  expect(Bun.spawnSync([unpacked, "probe"]).exitCode).toBe(0);
});

test("an executable that was built without the helper has none", () => {
  expect(unpackHelper("")).toBeNull();
});

test.each([[[]], [["probe", "child"]], [["--help"]]])(
  "the helper does nothing when called with %j",
  (args) => {
    expect(Bun.spawnSync([path, ...args]).exitCode).toBe(2);
  },
);

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;
const GOOD = encodeSpec({
  ...{ user: "someone", uid, gid, drop: false, tty: false, home: "/" },
  ...{ file: "/bin/sh", argv: ["sh", "-c", "echo ran"], env: { PATH: "/bin" } },
});

/** A child with `spec` to read, and what it said. */
async function runWith(spec: Uint8Array): Promise<{ stdout: string; status: number }> {
  const orders = openInputPipe();
  const output = openOutputPipe();
  const child = startHelper(path, "child", ["ignore", output.childFd, "ignore", orders.childFd]);
  closeSync(orders.childFd);
  closeSync(output.childFd);
  // One that is too long is not read to its end.
  await orders.writer.write(spec)?.catch(() => {});
  orders.writer.close();
  let stdout = "";
  for (let data = await output.reader.read(); data !== null; data = await output.reader.read()) {
    stdout += Buffer.from(data).toString();
  }
  output.reader.close();
  return { stdout, status: await child.exited };
}

function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(GOOD);
  change(bytes);
  return bytes;
}

describe("a child of the helper", () => {
  test("runs what its spec says", async () => {
    expect(await runWith(GOOD)).toEqual({ stdout: "ran\n", status: 0 });
  });

  test.each([
    ["that does not come", Buffer.alloc(0)],
    ["that is cut short", GOOD.subarray(0, GOOD.length - 1)],
    ["with more behind it", Buffer.concat([GOOD, Buffer.alloc(1)])],
    ["of another version", changed((bytes) => bytes.writeUInt32LE(2, 0))],
    ["with a text that has no end", changed((bytes) => bytes.writeUInt32LE(0xffffffff, 16))],
    ["with a user without a name", changed((bytes) => bytes.writeUInt8(0, 20))],
    ["with another user's id, and no leave to take it", changed((bytes) => bytes.writeUInt32LE(uid + 1, 8))],
    [
      "with another group's id, and no leave to take it",
      changed((bytes) => bytes.writeUInt32LE(gid + 1, 12)),
    ],
    ["longer than any may be", Buffer.alloc(2 * 1024 * 1024 + 1)],
  ])("runs nothing by a spec %s", async (_name, spec) => {
    expect(await runWith(spec)).toEqual({ stdout: "", status: 254 });
  });

  test.each([
    ["home", { home: "tmp" }],
    ["program", { file: "bin/sh" }],
  ])("runs nothing whose %s is no absolute path", async (_name, change) => {
    const spec = encodeSpec({
      ...{ user: "someone", uid, gid, drop: false, tty: false, home: "/" },
      ...{ file: "/bin/sh", argv: ["sh", "-c", "echo ran"], env: {} },
      ...change,
    });
    expect(await runWith(spec)).toEqual({ stdout: "", status: 254 });
  });
});
