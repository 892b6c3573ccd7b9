import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { checkClient } from "../../src/client/check-client.ts";
import { logAlarms, meetLog, pinnedLog } from "../../src/client/pinned-logs.ts";
import { entries, logKey, noteOfEntries, ORIGIN } from "../support/log-bundle.ts";
import { tempFolder } from "../support/temp-folder.ts";

const key = "A".repeat(43);

test("where this device has met no log, that of this machine's agent counts, for its own name", async () => {
  const agent = tempFolder();
  const environment = { QF_CONFIG_DIR: tempFolder(), QF_AGENT_STATE_DIR: agent };
  const nothing = { keys: [], checkpoints: [] };
  expect(await pinnedLog(environment, ORIGIN)).toEqual(nothing);
  mkdirSync(join(agent, "public"));
  const file = join(agent, "public/log.json");
  writeFileSync(
    file,
    JSON.stringify({ format: 1, log: { origin: ORIGIN, key: logKey.publicKey }, note: null }),
  );
  expect(await pinnedLog(environment, ORIGIN)).toEqual({
    keys: [{ name: ORIGIN, publicKey: logKey.publicKey }],
    checkpoints: [],
  });
  expect(await pinnedLog(environment, "another/qufabric/log")).toEqual(nothing);
  writeFileSync(file, "{");
  expect(await pinnedLog(environment, ORIGIN)).toEqual(nothing);
});

test("the key of a log that this device has met is that of its name only", async () => {
  const folder = tempFolder();
  const environment = { QF_CONFIG_DIR: folder, QF_AGENT_STATE_DIR: tempFolder() };
  expect(await pinnedLog(environment, "a/qufabric/b")).toEqual({ keys: [], checkpoints: [] });
  const logs = { "a/qufabric/b": { key, note: "note" } };
  writeFileSync(join(folder, "logs.json"), JSON.stringify({ format: 1, logs }));
  expect(await pinnedLog(environment, "a/qufabric/b")).toEqual({
    keys: [{ name: "a/qufabric/b", publicKey: key }],
    checkpoints: ["note"],
  });
  expect(await pinnedLog(environment, "a/qufabric/c")).toEqual({ keys: [], checkpoints: [] });
});

test("the checkpoint of a certificate is noted, the larger one stays, and another key is said and not believed", async () => {
  const folder = tempFolder();
  const all = entries(9);
  const log = { origin: ORIGIN, key: logKey.publicKey, inHello: true };
  const noted = async () => (await pinnedLog({ QF_CONFIG_DIR: folder }, ORIGIN)).checkpoints;
  await meetLog(folder, { ...log, note: "x" });
  expect(await noted()).toEqual([]);
  await meetLog(folder, { ...log, note: noteOfEntries(all, 5) });
  await meetLog(folder, { ...log, note: noteOfEntries(all, 9) });
  await meetLog(folder, { ...log, note: noteOfEntries(all, 7) });
  expect(await noted()).toEqual([noteOfEntries(all, 9)]);
  const other = generateEd25519();
  await meetLog(folder, {
    ...log,
    key: other.publicKey,
    note: noteOfEntries(entries(20), 20, { key: other }),
  });
  expect(await noted()).toEqual([noteOfEntries(all, 9)]);
  writeFileSync(join(folder, "logs.json"), "{");
  await meetLog(folder, { ...log, note: noteOfEntries(all, 5) });
  expect(await noted()).toEqual([noteOfEntries(all, 5)]);
});

test("a log that contradicts itself is kept with both checkpoints, the first time, and qf doctor says so", async () => {
  const folder = tempFolder();
  const environment = { QF_CONFIG_DIR: folder, HOME: folder, QF_MANAGEMENT_URL: "http://127.0.0.1:1" };
  const log = { origin: ORIGIN, key: logKey.publicKey, inHello: true };
  const found = async () =>
    (await checkClient({ environment })).findings.filter(({ code }) => code === "log.differs");
  const [ours, theirs] = [noteOfEntries(entries(5), 5), noteOfEntries(entries(9).slice(4), 5)];
  await meetLog(folder, { ...log, note: ours });
  expect([await logAlarms(folder), await found()]).toEqual([{}, []]);
  await meetLog(folder, { ...log, note: theirs });
  const alarm = { what: "the account's audit log is not the one it was", notes: [ours, theirs] };
  expect(await logAlarms(folder)).toEqual({ [ORIGIN]: alarm } as never);
  expect(await found()).toMatchObject([{ area: "management", status: "problem" }]);
  const other = generateEd25519();
  await meetLog(folder, { ...log, key: other.publicKey, note: noteOfEntries(entries(5), 5, { key: other }) });
  expect((await logAlarms(folder))[ORIGIN]).toEqual(alarm as never);
  await meetLog(folder, { ...log, note: ours });
  expect(await found()).toHaveLength(1);
});
