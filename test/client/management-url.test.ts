import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { QfError } from "../../src/base/errors.ts";
import { newId } from "../../src/base/random.ts";
import { openClientFolder } from "../../src/client/client-folder.ts";
import { checkManagementUrl, managementUrlOf } from "../../src/client/management-url.ts";
import { tempFolder } from "../support/temp-folder.ts";

test.each([
  ["https://qf.example.com", "https://qf.example.com"],
  ["https://qf.example.com/", "https://qf.example.com"],
  ["https://QF.example.com/base/", "https://qf.example.com/base"],
  ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
  ["http://127.8.8.8", "http://127.8.8.8"],
  ["http://localhost:1", "http://localhost:1"],
  ["http://[::1]:1", "http://[::1]:1"],
])("checkManagementUrl takes %s", (given, want) => {
  expect(checkManagementUrl(given)).toBe(want);
});

test.each([
  ["qf.example.com"],
  ["ftp://qf.example.com"],
  ["https://user:pass@qf.example.com"],
  ["https://qf.example.com/?a=b"],
  ["https://qf.example.com/#x"],
  ["http://qf.example.com"],
  ["http://127.0.0.1.example.com"],
  ["http://localhost.example.com"],
  ["http://192.168.1.1"],
  ["http://2130706433.example"],
  [""],
])("checkManagementUrl refuses %p", (given) => {
  expect(() => checkManagementUrl(given)).toThrow(QfError);
});

test("managementUrlOf takes flag, environment, the person's word and the machine's, in this order", async () => {
  const QF_CONFIG_DIR = tempFolder();
  const QF_AGENT_STATE_DIR = tempFolder();
  const machine = { QF_CONFIG_DIR, QF_AGENT_STATE_DIR };
  expect(await managementUrlOf(machine, undefined).catch((error: QfError) => error.code)).toBe("ERR_USAGE");
  mkdirSync(join(QF_AGENT_STATE_DIR, "public"));
  writeFileSync(
    join(QF_AGENT_STATE_DIR, "public/client.json"),
    JSON.stringify({ managementUrl: "https://machine.example.com", ttlSeconds: 60, bootId: newId() }),
  );
  expect(await managementUrlOf(machine, undefined)).toBe("https://machine.example.com");
  const folder = await openClientFolder({ QF_CONFIG_DIR });
  await folder.updateConfig((config) => ({ ...config, managementUrl: "https://own.example.com" }));
  expect(await managementUrlOf(machine, undefined)).toBe("https://own.example.com");
  const env = { ...machine, QF_MANAGEMENT_URL: "https://env.example.com" };
  expect(await managementUrlOf(env, undefined)).toBe("https://env.example.com");
  expect(await managementUrlOf(env, "https://flag.example.com")).toBe("https://flag.example.com");
});
