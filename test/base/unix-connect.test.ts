/** connect(2) to unix sockets: each failure has its code, and a full queue is waited for. */
import { describe, expect, test } from "bun:test";
import { closeSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectUnix } from "../../src/base/unix-connect.ts";
import { tempFolder } from "../support/temp-folder.ts";

describe("connectUnix", () => {
  test.each([
    { what: "a path where nothing is", path: () => "/nowhere/socket", code: "ENOENT" },
    { what: "a file", path: (folder: string) => join(folder, "file"), code: "ECONNREFUSED" },
    { what: "a path that is too long", path: () => `/${"x".repeat(120)}`, code: "ENAMETOOLONG" },
    { what: "a path with an end in it", path: () => "/tmp/a\0b", code: "ENOENT" },
    { what: "no path", path: () => "", code: "ENOENT" },
  ])("refuses $what with $code", async ({ path, code }) => {
    const folder = tempFolder();
    writeFileSync(join(folder, "file"), "");
    const failure = await connectUnix(path(folder), 1_000).catch((cause: unknown) => cause);
    expect(failure).toMatchObject({ code });
  });

  test("waits for a server whose queue is full, and not for ever", async () => {
    const folder = tempFolder();
    const path = join(folder, "socket");
    const script = `import socket,sys,time
s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(0); print("ready",flush=True)
sys.stdin.readline()
while True: s.accept()`;
    const child = Bun.spawn(["/usr/bin/python3", "-c", script, path], { stdin: "pipe", stdout: "pipe" });
    await child.stdout.getReader().read();
    const taken = [await connectUnix(path, 0)];
    expect(await connectUnix(path, 30).catch((cause: unknown) => cause)).toMatchObject({ code: "ETIMEDOUT" });
    const waiting = connectUnix(path, 10_000);
    child.stdin.write("go\n");
    await child.stdin.flush();
    taken.push(await waiting);
    for (const fd of taken) closeSync(fd);
    child.kill();
    await child.exited;
  });
});
