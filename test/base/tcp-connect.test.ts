/** connect(2) to TCP addresses: at once where there is somebody, each failure with its code. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, readlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { connectTcp } from "../../src/base/tcp-connect.ts";

let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((socket) => socket.on("error", () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, "::", resolve));
  port = (server.address() as { port: number }).port;
});
afterAll(() => server.close());

const always = (): boolean => true;

/** Nobody listens there any more. */
async function freedPort(): Promise<number> {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port: freed } = closed.address() as { port: number };
  await new Promise<void>((resolve) => closed.close(() => resolve()));
  return freed;
}

describe("connectTcp", () => {
  test.each(["127.0.0.1", "::1", "::ffff:127.0.0.1", "::1%lo", "::1%1"])(
    "connects to %s, and gives a descriptor that is the caller's",
    async (address) => {
      const fd = await connectTcp(address, port, always);
      expect(fd).not.toBeNull();
      expect(readlinkSync(`/proc/self/fd/${fd}`)).toStartWith("socket:");
      closeSync(fd ?? -1);
    },
  );

  test.each([
    ["an address where nobody listens", "127.0.0.1", "ECONNREFUSED"],
    ["the same in IPv6", "::1", "ECONNREFUSED"],
    ["what is no address", "localhost", "EINVAL"],
    ["an address with more behind it", "127.0.0.1.1", "EINVAL"],
    ["nothing", "", "EINVAL"],
    ["a broadcast address", "255.255.255.255", "ENETUNREACH"],
  ])("refuses %s", async (_what, address, code) => {
    const before = openDescriptors();
    const failure = await connectTcp(address, await freedPort(), always).catch((cause: unknown) => cause);
    expect(failure).toMatchObject({ code });
    expect(openDescriptors()).toBe(before);
  });

  test("stops when it is not wanted any more, and leaves nothing open", async () => {
    // A queue that is full: the server's system drops what comes.
    const script = `import socket,sys
s=socket.socket(); s.bind(("127.0.0.1",0)); s.listen(0); print(s.getsockname()[1],flush=True)
sys.stdin.readline()`;
    const child = Bun.spawn(["/usr/bin/python3", "-c", script], { stdin: "pipe", stdout: "pipe" });
    const { value } = await child.stdout.getReader().read();
    const full = Number(new TextDecoder().decode(value));
    const taken = [await connectTcp("127.0.0.1", full, always)];
    const before = openDescriptors();
    let looks = 0;
    expect(await connectTcp("127.0.0.1", full, () => ++looks < 5)).toBeNull();
    expect(looks).toBe(5);
    expect(openDescriptors()).toBe(before);
    for (const fd of taken) closeSync(fd ?? -1);
    child.kill();
    await child.exited;
  });
});

function openDescriptors(): number {
  return Array.from({ length: 256 }, (_, fd) => fd).filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}
