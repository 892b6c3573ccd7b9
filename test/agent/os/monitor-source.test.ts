import { expect, test } from "bun:test";
import type { ForkServer } from "../../../src/agent/os/fork-server.ts";
import type { Monitor } from "../../../src/agent/os/monitor.ts";
import { createMonitorSource } from "../../../src/agent/os/monitor-source.ts";
import { until } from "../../support/until.ts";

interface FakeMonitor {
  readonly server: number | null;
  isClosed: boolean;
  close(): void;
}

function openFakes(hasServers = false) {
  const opened: FakeMonitor[] = [];
  const servers: { isLost: boolean; close(): void }[] = [];
  const open = async (server: number | null): Promise<Monitor> => {
    const fake: FakeMonitor = {
      server,
      isClosed: false,
      close() {
        fake.isClosed = true;
      },
    };
    opened.push(fake);
    return fake as unknown as Monitor;
  };
  const source = createMonitorSource({
    open: () => open(null),
    openServer() {
      if (!hasServers) return null;
      const server = {
        isLost: false,
        close() {
          server.isLost = true;
        },
      };
      servers.push(server);
      return server as unknown as ForkServer;
    },
    async openForked(server) {
      if (server.isLost) throw new Error("the fork server has ended");
      return open(servers.indexOf(server as never));
    },
  });
  return { opened, servers, source };
}

test("a source of monitors has one ready for whoever comes next", async () => {
  const { opened, source } = openFakes();
  const first = await source.take();
  await until("a spare", () => opened.length === 2);
  const second = await source.take();
  expect(second).toBe(opened[1] as never);
  expect(second).not.toBe(first);
  source.close();
});

test("a source of monitors gives no spare that has ended", async () => {
  const { opened, source } = openFakes();
  await source.take();
  await until("a spare", () => opened.length === 2);
  opened[1]?.close();
  expect(await source.take()).toBe(opened[2] as never);
  source.close();
});

test("a source of monitors that is closed keeps none", async () => {
  const { opened, source } = openFakes();
  await source.take();
  await until("a spare", () => opened.length === 2);
  source.close();
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([false, true]);
});

test("a source of monitors has one server fork them all, and ends it", async () => {
  const { opened, servers, source } = openFakes(true);
  await source.take();
  await source.take();
  expect(opened.map(({ server }) => server)).toEqual([0, 0]);
  source.close();
  expect(servers).toEqual([expect.objectContaining({ isLost: true })]);
});

test("a source of monitors does without a server that was lost, and starts no other at once", async () => {
  const { opened, servers, source } = openFakes(true);
  await source.take();
  servers[0]?.close();
  await source.take();
  await source.take();
  expect(servers).toHaveLength(1);
  expect(opened.slice(0, 2).map(({ server }) => server)).toEqual([0, null]);
  source.close();
});
