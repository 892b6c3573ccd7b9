/** Sockets ordered ahead: shared orders, loopback addresses only, and nothing left open. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, readlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { ForwardHelperError } from "../../../src/agent/os/forward-helper-error.ts";
import { loopbackFamily, type OrderSockets, SocketPool } from "../../../src/agent/os/socket-pool.ts";
import { openTcpSocket } from "../../../src/base/tcp-connect.ts";
import { until } from "../../support/until.ts";

let server: Server;
let port: number;
let connections = 0;
beforeAll(async () => {
  server = createServer((socket) => {
    connections++;
    socket.on("error", () => {}).resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "::", resolve));
  port = (server.address() as { port: number }).port;
});
afterAll(() => server.close());

/** Opens what is ordered, and notes each order and descriptor. */
function stock(): { order: OrderSockets; orders: number[]; fds: number[] } {
  const orders: number[] = [];
  const fds: number[] = [];
  const order: OrderSockets = async (family, count) => {
    orders.push(count);
    const opened = Array.from({ length: count }, () => openTcpSocket(family));
    fds.push(...opened);
    return opened;
  };
  return { order, orders, fds };
}

const isOpen = (fd: number): boolean => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
  } catch {
    return false;
  }
};

const failureOf = (dialled: Promise<number>): Promise<unknown> =>
  dialled.then(
    () => null,
    (cause: unknown) => (cause instanceof ForwardHelperError ? cause.failure : cause),
  );

test.each([
  ["127.0.0.1", 4],
  ["127.9.8.7", 4],
  ["::1", 6],
  ["128.0.0.1", null],
  ["10.127.0.1", null],
  ["169.254.169.254", null],
  ["::ffff:127.0.0.1", null],
  ["::1%lo", null],
  ["::2", null],
  ["127.0.0.1.example", null],
  ["localhost", null],
  ["", null],
] as const)("the loopback family of %p is %p", (address, family) => {
  expect(loopbackFamily(address)).toBe(family);
});

describe("a pool", () => {
  test.each([
    [4, "127.0.0.1"],
    [6, "::1"],
  ] as const)("connects sockets of IPv%d, and orders for many at once", async (family, address) => {
    const { order, orders, fds } = stock();
    const pool = new SocketPool(order);
    const before = connections;
    const dialled = await Promise.all(Array.from({ length: 30 }, () => pool.dial(family, address, port)));
    expect(new Set(dialled).size).toBe(30);
    await until(() => connections === before + 30);
    expect(orders).toEqual([46]);
    // The rest is ready, and connects to nothing by itself.
    closeSync(await pool.dial(family, address, port));
    await until(() => connections === before + 31);
    expect(orders).toEqual([46]);
    pool.close();
    for (const fd of dialled) closeSync(fd);
    await until(() => !fds.some(isOpen));
    expect(connections).toBe(before + 31);
  });

  test("orders more before it is empty", async () => {
    const { order, orders } = stock();
    const pool = new SocketPool(order);
    for (let at = 0; at < 10; at++) closeSync(await pool.dial(4, "127.0.0.1", port));
    await until(() => orders.length === 2);
    pool.close();
  });

  test("says when nobody listens, and closes the socket", async () => {
    const { order, fds } = stock();
    const pool = new SocketPool(order);
    expect(await failureOf(pool.dial(4, "127.0.0.1", 1))).toBe("refused");
    expect(await failureOf(pool.dial(4, "not an address", 1))).toBe("failed");
    pool.close();
    expect(fds.filter(isOpen)).toEqual([]);
  });

  test("passes on that nothing can be opened, and tries again for the next", async () => {
    const { order } = stock();
    let isRefused = true;
    const pool = new SocketPool(async (family, count) => {
      if (isRefused) throw new ForwardHelperError("failed");
      return order(family, count);
    });
    const both = [pool.dial(4, "127.0.0.1", port), pool.dial(4, "127.0.0.1", port)];
    expect(await Promise.all(both.map(failureOf))).toEqual(["failed", "failed"]);
    isRefused = false;
    closeSync(await pool.dial(4, "127.0.0.1", port));
    pool.close();
  });

  test("asks again for those that an order had too few for", async () => {
    const orders: number[] = [];
    const pool = new SocketPool(async (family, count) => {
      orders.push(count);
      return [openTcpSocket(family)];
    });
    const dialled = [pool.dial(4, "127.0.0.1", port), pool.dial(4, "127.0.0.1", port)];
    for (const fd of await Promise.all(dialled)) closeSync(fd);
    expect(orders.slice(0, 2)).toEqual([18, 17]);
    pool.close();
  });

  test("dials nothing once it is closed, and keeps nothing that comes later", async () => {
    const { order, fds } = stock();
    const late = Promise.withResolvers<void>();
    const before = connections;
    const pool = new SocketPool(async (family, count) => {
      await late.promise;
      return order(family, count);
    });
    const waiting = failureOf(pool.dial(4, "127.0.0.1", port));
    await new Promise((resolve) => setImmediate(resolve));
    pool.close();
    expect(await waiting).toBe("failed");
    expect(await failureOf(pool.dial(4, "127.0.0.1", port))).toBe("failed");
    late.resolve();
    await until(() => fds.length > 0 && !fds.some(isOpen));
    expect(connections).toBe(before);
  });
});
