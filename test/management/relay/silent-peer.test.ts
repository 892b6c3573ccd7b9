import { ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { openCLibrary } from "../../../src/base/c-library.ts";
import { endWhenSilent } from "../../../src/management/relay/silent-peer.ts";

const libc = openCLibrary({
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
} as const);

test.skipIf(process.platform !== "linux")(
  "the kernel ends a connection that is silent for so long",
  async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => {} } });
    endWhenSilent(socket, 15_000);
    const { fd } = socket as unknown as { fd: number };
    const option = (level: number, name: number): number | undefined => {
      const [value, length] = [new Int32Array(1), Int32Array.of(4)];
      libc?.getsockopt(fd, level, name, ptr(value), ptr(length));
      return value[0];
    };
    // SO_KEEPALIVE, TCP_KEEPIDLE, TCP_USER_TIMEOUT.
    expect([option(1, 9), option(6, 4), option(6, 18)]).toEqual([1, 5, 15_000]);
    socket.terminate();
    server.close();
  },
);
