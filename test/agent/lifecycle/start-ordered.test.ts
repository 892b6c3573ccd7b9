import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startOrdered } from "../../../src/agent/lifecycle/start-ordered.ts";
import { UpgradeRecord } from "../../../src/wire/upgrade-report.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

test("an order is carried out by a process of its own, which writes what becomes of it", async () => {
  const stateDir = tempFolder();
  const order = { orderId: "order000000000000001", version: "1.2.0" };
  await startOrdered(order, { stateDir, url: "http://127.0.0.1:1", environment: { HOME: stateDir } });
  // Run from source, this is no executable that could be replaced.
  const path = join(stateDir, "upgrade.json");
  await until("the record", () => existsSync(path), 60_000);
  const record = UpgradeRecord.parse(JSON.parse(readFileSync(path, "utf8")));
  expect(record).toMatchObject({ orderId: order.orderId, state: "refused" });
});
