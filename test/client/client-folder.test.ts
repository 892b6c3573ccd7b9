import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { QfError } from "../../src/base/errors.ts";
import { newId } from "../../src/base/random.ts";
import { clientFolderPath, openClientFolder, readPublicClient } from "../../src/client/client-folder.ts";
import { tempFolder } from "../support/temp-folder.ts";

test.each<[env: Record<string, string>, want: string]>([
  [{ QF_CONFIG_DIR: "/a", XDG_CONFIG_HOME: "/x", HOME: "/h" }, "/a"],
  [{ XDG_CONFIG_HOME: "/x", HOME: "/h" }, "/x/qufabric"],
  [{ XDG_CONFIG_HOME: "x", HOME: "/h" }, "/h/.config/qufabric"],
  [{ HOME: "/h" }, "/h/.config/qufabric"],
])("clientFolderPath finds the folder of %p", (env, want) => {
  expect(clientFolderPath(env)).toBe(want);
});

test("openClientFolder makes the folder for its owner alone", async () => {
  const path = join(tempFolder(), "a/b");
  await openClientFolder({ QF_CONFIG_DIR: path });
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test("openClientFolder refuses a folder that others may enter", async () => {
  const path = tempFolder();
  chmodSync(path, 0o750);
  const error = await openClientFolder({ QF_CONFIG_DIR: path }).catch((reason: unknown) => reason);
  expect((error as QfError).code).toBe("ERR_PERMISSION");
  expect((error as QfError).hint).toBe(`chmod 700 ${path}`);
});

test("logins go into the session's own folder when it is private, else into the config folder", async () => {
  const config = tempFolder();
  const runtime = tempFolder();
  const open = (XDG_RUNTIME_DIR: string) => openClientFolder({ QF_CONFIG_DIR: config, XDG_RUNTIME_DIR });
  expect((await open(runtime)).loginsPath).toBe(join(runtime, "qufabric"));
  chmodSync(runtime, 0o755);
  expect((await open(runtime)).loginsPath).toBe(join(config, "logins"));
});

test("twenty processes' worth of first uses get one device key", async () => {
  const path = tempFolder();
  const folders = await Promise.all(
    Array.from({ length: 20 }, () => openClientFolder({ QF_CONFIG_DIR: path })),
  );
  const keys = await Promise.all(folders.map((folder) => folder.deviceKey()));
  expect(new Set(keys.map((key) => key.publicKey)).size).toBe(1);
  expect(statSync(join(path, "device-key.json")).mode & 0o777).toBe(0o600);
  expect(readdirSync(path)).toEqual(["device-key.json"]);
});

test("changes of the configuration at once are all kept", async () => {
  const folder = await openClientFolder({ QF_CONFIG_DIR: tempFolder() });
  await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      folder.updateConfig((config) => ({
        ...config,
        devices: { ...config.devices, [`https://${index}`]: { peerId: newId(), accountId: newId() } },
      })),
    ),
  );
  expect(Object.keys((await folder.readConfig()).devices)).toHaveLength(10);
});

test("a damaged configuration is named and set aside", async () => {
  const path = tempFolder();
  const folder = await openClientFolder({ QF_CONFIG_DIR: path });
  writeFileSync(join(path, "config.json"), '{"format":1,"devices":{},"colour":"red"}');
  const error = await folder.readConfig().catch((reason: unknown) => reason);
  expect((error as QfError).message).toContain(join(path, "config.json"));
  expect(await folder.readConfig()).toEqual({ format: 1, devices: {} });
});

test.each(["QF_AGENT_STATE_DIR", "QF_STATE_DIR"])("readPublicClient finds the agent by %s", async (name) => {
  const state = tempFolder();
  mkdirSync(join(state, "public"));
  const said = { managementUrl: "https://machine.example.com", ttlSeconds: 60, bootId: newId() };
  writeFileSync(join(state, "public/client.json"), JSON.stringify(said));
  expect(await readPublicClient({ [name]: state })).toEqual(said);
});

test("readPublicClient takes nothing that makes no sense", async () => {
  const QF_AGENT_STATE_DIR = tempFolder();
  mkdirSync(join(QF_AGENT_STATE_DIR, "public"));
  writeFileSync(join(QF_AGENT_STATE_DIR, "public/client.json"), '{"managementUrl":"javascript:1"}');
  expect(await readPublicClient({ QF_AGENT_STATE_DIR })).toBeUndefined();
});
