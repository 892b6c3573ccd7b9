/** Following management to another address: only by the word of the key that this device has pinned. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { type Ed25519Key, generateEd25519 } from "../../src/base/ed25519.ts";
import { writeJsonAtomic } from "../../src/base/files.ts";
import { newId } from "../../src/base/random.ts";
import { openClientFolder } from "../../src/client/client-folder.ts";
import { followMove } from "../../src/client/follow-move.ts";
import { pinLog } from "../../src/client/pinned-logs.ts";
import { signHandover } from "../../src/log/key-handover.ts";
import { signMove } from "../../src/log/move.ts";
import type { ClientConfig } from "../../src/wire/client-config.ts";
import type { ServedLog } from "../../src/wire/log-entry.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { logKey, ORIGIN } from "../support/log-bundle.ts";
import { tempFolder } from "../support/temp-folder.ts";

const [OLD, NEW] = ["https://old.example.com", "https://new.example.com"];
const accountId = ORIGIN.slice(ORIGIN.lastIndexOf("/") + 1);
const peerId = newId();
const clock = new FakeClock();
const at = Math.floor(clock.nowMs() / 1000);
const moveBy = (key: Ed25519Key, to = NEW) =>
  signMove(ORIGIN, { from: OLD, to, at_seconds: at, until_seconds: at + 60 }, key);

/** A device that is registered at OLD, asks there, and is answered by NEW. */
async function ask(change: { log?: Partial<ServedLog>; config?: Partial<ClientConfig>; isPinned?: boolean }) {
  const environment = { QF_CONFIG_DIR: tempFolder(), QF_AGENT_STATE_DIR: tempFolder() };
  const folder = await openClientFolder(environment, clock);
  const devices = { [OLD]: { peerId, accountId } };
  await writeJsonAtomic(join(folder.path, "config.json"), { format: 1, managementUrl: OLD, devices }, 0o600);
  if (change.isPinned !== false) await pinLog(folder.path, { origin: ORIGIN, key: logKey.publicKey });
  const log = { origin: ORIGIN, key: logKey.publicKey, moves: [moveBy(logKey)], ...change.log };
  const config = { accountId, origin: NEW, log, ...change.config } as unknown as ClientConfig;
  const said: string[] = [];
  const terminal = { say: (line: string) => void said.push(line) };
  const error = await followMove({ folder, url: OLD, config, clock, terminal, environment }).catch((e) => e);
  return { error, said, after: await folder.readConfig() };
}

test("the device keeps its place at the new address, and the person is told", async () => {
  const { error, said, after } = await ask({});
  expect(error).toMatchObject({ code: "ERR_MOVED" });
  expect(said.join()).toContain(`from ${OLD} to ${NEW}`);
  expect(after.managementUrl).toBe(NEW);
  expect(after.devices[NEW]).toEqual({ peerId, accountId });
  expect(after.devices[OLD]).toEqual({ peerId, accountId });
});

test("a key that the pinned one has handed over to is believed as well", async () => {
  const next = generateEd25519();
  const handovers = [signHandover(ORIGIN, { from: logKey, to: next })];
  const { error } = await ask({ log: { key: next.publicKey, handovers, moves: [moveBy(next)] } });
  expect(error).toMatchObject({ code: "ERR_MOVED" });
});

const thief = generateEd25519();
test.each<[what: string, change: Parameters<typeof ask>[0]]>([
  ["no word at all", { config: { log: undefined } }],
  ["no move among the words", { log: { moves: [] } }],
  ["another key's word", { log: { moves: [moveBy(thief)] } }],
  ["a log of another key", { log: { key: thief.publicKey, moves: [moveBy(thief)] } }],
  ["a log that this device has never met", { isPinned: false }],
  ["another address than the word names", { config: { origin: "https://evil.example.com" } }],
  ["another account", { config: { accountId: newId() } }],
])("nothing is followed: %s", async (_what, change) => {
  const { error, said, after } = await ask(change);
  expect([error, said]).toEqual([undefined, []]);
  expect(after.managementUrl).toBe(OLD);
  expect(after.devices[NEW]).toBeUndefined();
});

test("an address that is not encrypted is not followed, whoever says so", async () => {
  const to = "http://new.example.com";
  const { error, after } = await ask({ log: { moves: [moveBy(logKey, to)] }, config: { origin: to } });
  expect(error).toMatchObject({ code: "ERR_USAGE" });
  expect(after.managementUrl).toBe(OLD);
});
