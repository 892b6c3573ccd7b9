import { expect, test } from "bun:test";
import type { Monitor } from "../../../src/agent/os/monitor.ts";
import { createMonitorSource } from "../../../src/agent/os/monitor-source.ts";

function openFakes() {
  const opened: { isClosed: boolean; close(): void }[] = [];
  const open = async (): Promise<Monitor> => {
    const fake = {
      isClosed: false,
      close() {
        fake.isClosed = true;
      },
    };
    opened.push(fake);
    return fake as unknown as Monitor;
  };
  return { opened, source: createMonitorSource(open) };
}

test("a source of monitors has one ready for whoever comes next", async () => {
  const { opened, source } = openFakes();
  const first = await source.take();
  await Bun.sleep(120);
  expect(opened).toHaveLength(2);
  const second = await source.take();
  expect(second).toBe(opened[1] as never);
  expect(second).not.toBe(first);
  source.close();
});

test("a source of monitors gives no spare that has ended", async () => {
  const { opened, source } = openFakes();
  await source.take();
  await Bun.sleep(120);
  opened[1]?.close();
  expect(await source.take()).toBe(opened[2] as never);
  source.close();
});

test("a source of monitors that is closed keeps none", async () => {
  const { opened, source } = openFakes();
  await source.take();
  await Bun.sleep(120);
  source.close();
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([false, true]);
});
