import { afterEach, describe, expect, test } from "bun:test";
import { closeSync, readFileSync, readSync, writeSync } from "node:fs";
import { openSocketEnds } from "../../../src/agent/os/socket-ends.ts";

let childFds: readonly number[] = [];
afterEach(() => {
  for (const fd of childFds) closeSync(fd);
  childFds = [];
});

function open() {
  const ends = openSocketEnds();
  childFds = ends.childFds;
  return { ...ends, input: ends.childFds[0], output: ends.childFds[1] };
}

function readText(fd: number): string {
  const buffer = Buffer.alloc(1024);
  return buffer.toString("latin1", 0, readSync(fd, buffer, 0, buffer.length, null));
}

/** Whether this process may give a socket more room than the system gives anybody (CAP_NET_ADMIN). */
const mayWiden = (): boolean => {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> 12n) & 1n) === 1n;
};

const BIG = Buffer.alloc(4_000_000, "0123456789abcdef");

describe("a child on a socket", () => {
  test("reads what is written, and then the end", async () => {
    const { writer, reader, input } = open();
    await writer.write(Buffer.from("one"));
    expect(readText(input)).toBe("one");
    writer.close();
    expect(readText(input)).toBe("");
    reader.close();
  });

  test("is still heard after it was told the end", async () => {
    const { writer, reader, input, output } = open();
    writer.close();
    expect(readText(input)).toBe("");
    writeSync(output, "last");
    expect(Buffer.from((await reader.read()) ?? []).toString()).toBe("last");
    reader.close();
  });

  test("is over once it has closed both, after all that it said", async () => {
    const { reader, output } = open();
    writeSync(output, "said");
    for (const fd of childFds) closeSync(fd);
    childFds = [];
    let text = "";
    for (let data = await reader.read(); data !== null; data = await reader.read()) text += data;
    expect(text).toBe("said");
  });

  test("that does not read holds its writer up, and nothing is lost", async () => {
    const { writer, reader, input } = open();
    await writer.write(Buffer.from("first"));
    let isTaken = false;
    const writing = Promise.resolve(writer.write(BIG)).then(() => {
      isTaken = true;
    });
    await Bun.sleep(20);
    expect(isTaken).toBe(false);
    const got: Buffer[] = [];
    for (let bytes = 0; bytes < BIG.length + 5; ) {
      const buffer = Buffer.alloc(100_000);
      const count = readSync(input, buffer, 0, buffer.length, null);
      bytes += count;
      got.push(buffer.subarray(0, count));
      await Bun.sleep(0);
    }
    await writing;
    expect(Buffer.concat(got).equals(Buffer.concat([Buffer.from("first"), BIG]))).toBe(true);
    reader.close();
  });

  test.skipIf(!mayWiden())("that does not read has room for two packets of SFTP", async () => {
    const { writer, reader } = open();
    await writer.write(Buffer.from("first"));
    for (const packet of ["one", "two"]) {
      expect([packet, writer.write(BIG.subarray(0, 255 * 1024))]).toEqual([packet, null]);
    }
    reader.close();
  });

  test("is held up by a reader that does not read", async () => {
    const { reader, output } = open();
    const child = Bun.spawn(["sh", "-c", "head -c 20000000 /dev/zero; echo done >&2"], {
      stdio: ["ignore", output, "pipe"],
    });
    await reader.read();
    await Bun.sleep(100);
    expect(child.exitCode).toBe(null);
    for (const fd of childFds) closeSync(fd);
    childFds = [];
    let bytes = 0;
    for (let data = await reader.read(); data !== null; data = await reader.read()) bytes += data.length;
    expect(bytes).toBeGreaterThan(19_000_000);
    expect(await child.exited).toBe(0);
  });

  test("that has gone is an error to its writer", async () => {
    const { writer, reader } = open();
    await writer.write(Buffer.from("x"));
    for (const fd of childFds) closeSync(fd);
    childFds = [];
    expect(await reader.read()).toBe(null);
    const failed = (async () => {
      for (let i = 0; i < 100; i++) await writer.write(BIG);
    })();
    await expect(failed).rejects.toThrow();
    reader.close();
  });

  test("whose reader stops sees the end, and what was being read ends with null", async () => {
    const { writer, reader, input } = open();
    await writer.write(Buffer.from("x"));
    const reading = reader.read();
    reader.close();
    expect(await reading).toBe(null);
    await Bun.sleep(0);
    expect(readText(input)).toBe("x");
    expect(readText(input)).toBe("");
    await expect(Promise.resolve(writer.write(Buffer.from("y")))).rejects.toThrow();
  });
});
