import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { openStore } from "../../src/management/db/store.ts";
import { findAccount, listAccounts } from "../../src/management/db/tables/accounts.ts";
import { findByToken } from "../../src/management/db/tables/api-tokens.ts";
import { listEvents } from "../../src/management/db/tables/audit-events.ts";
import { listGroups } from "../../src/management/db/tables/groups.ts";
import { listSigningKeys } from "../../src/management/db/tables/keys.ts";
import { listPolicies } from "../../src/management/db/tables/policies.ts";
import { findPasswordUser } from "../../src/management/db/tables/sign-in.ts";
import { createAccount, initManagement } from "../../src/management/init.ts";
import { startManagement } from "../../src/management/serve.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { tempFolder } from "../support/temp-folder.ts";

const clock = new FakeClock();
const owner = { ownerEmail: "Olga@Example.com", ownerPassword: "correct horse" };
const optionsFor = (dataDir: string) => ({ dataDir, clock, ...owner });
const codeOf = (cause: unknown): string => (isQfError(cause) ? cause.code : String(cause));
const openAgain = (dataDir: string) => openStore({ dataDir, clock, log: silentLog, create: false });

test("init makes an account with an owner, keys, group All and no policy", async () => {
  const dataDir = join(tempFolder(), "management");
  const result = await initManagement(optionsFor(dataDir));
  expect(result.token).toStartWith("qfp_");
  const store = openAgain(dataDir);
  await store.read(async (tx) => {
    const account = await findAccount(tx, result.accountId);
    expect(account?.domain).toBe("qf.internal");
    const found = await findPasswordUser(tx, { email: "olga@example.com" });
    expect(found?.user.role).toBe("owner");
    expect(found?.login.passwordHash).toStartWith("$argon2id$");
    expect(await Bun.password.verify(owner.ownerPassword, found?.login.passwordHash ?? "")).toBe(true);
    expect((await findByToken(tx, result.token))?.user.id).toBe(result.ownerId);
    expect(await listPolicies(tx, result.accountId)).toEqual([]);
    expect((await listGroups(tx, result.accountId)).map((group) => [group.name, group.isAll])).toEqual([
      ["All", true],
    ]);
    for (const purpose of ["ca", "token"] as const) {
      expect(await listSigningKeys(tx, result.accountId, purpose)).toHaveLength(1);
    }
    expect(await listSigningKeys(tx, null, "cookie")).toHaveLength(1);
    const events = await listEvents(tx, result.accountId, { limit: 5 });
    expect(events.map((event) => event.activity)).toEqual(["account.create"]);
  });
  await store.close();
});

test("what init makes is for its owner only", async () => {
  const dataDir = join(tempFolder(), "management");
  mkdirSync(dataDir, { mode: 0o755 });
  await initManagement(optionsFor(dataDir));
  for (const path of [dataDir, ...readdirSync(dataDir).map((name) => join(dataDir, name))]) {
    expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
  }
});

test.each([
  ["the data folder", "", 0o777],
  ["the data folder", "", 0o755],
  ["the database", "management.db", 0o644],
  ["the database", "management.db", 0o660],
  ["the write-ahead log", "management.db-wal", 0o666],
] as const)("nothing starts while %s (%s) has mode %o", async (_what, name, mode) => {
  const dataDir = join(tempFolder(), "management");
  await initManagement(optionsFor(dataDir));
  const path = join(dataDir, name);
  if (!existsSync(path)) writeFileSync(path, "");
  chmodSync(path, mode);
  const served = startManagement({ dataDir, listen: "127.0.0.1:0", log: silentLog });
  expect(await served.catch(codeOf)).toBe("ERR_PERMISSION");
  expect(await initManagement(optionsFor(dataDir)).catch(codeOf)).toBe("ERR_PERMISSION");
  expect(statSync(path).mode & 0o777).toBe(mode);
});

test("an empty folder that others may write to is closed, one that holds something is refused", async () => {
  const empty = join(tempFolder(), "empty");
  mkdirSync(empty);
  chmodSync(empty, 0o777);
  await initManagement(optionsFor(empty));
  expect(statSync(empty).mode & 0o777).toBe(0o700);
  const planted = join(tempFolder(), "planted");
  mkdirSync(planted);
  writeFileSync(join(planted, "master.key"), new Uint8Array(32), { mode: 0o600 });
  chmodSync(planted, 0o777);
  expect(await initManagement(optionsFor(planted)).catch(codeOf)).toBe("ERR_PERMISSION");
});

test("a master key without its database is a lost volume: nothing starts over beside it", async () => {
  const dataDir = join(tempFolder(), "management");
  await initManagement(optionsFor(dataDir));
  const key = readFileSync(join(dataDir, "master.key"));
  for (const name of readdirSync(dataDir)) if (name !== "master.key") rmSync(join(dataDir, name));
  const served = startManagement({ dataDir, listen: "127.0.0.1:0", log: silentLog });
  expect(await served.catch(codeOf)).toBe("ERR_STATE_DAMAGED");
  expect(await initManagement(optionsFor(dataDir)).catch(codeOf)).toBe("ERR_STATE_DAMAGED");
  expect(readFileSync(join(dataDir, "master.key")).equals(key)).toBe(true);
  expect(readdirSync(dataDir)).not.toContain("management.db");
  // In a place of its own as well.
  const elsewhere = join(tempFolder(), "master.key");
  writeFileSync(elsewhere, key, { mode: 0o600 });
  const order = { ...optionsFor(join(tempFolder(), "new")), masterKeyFile: elsewhere };
  expect(await initManagement(order).catch(codeOf)).toBe("ERR_STATE_DAMAGED");
  // Whoever moves the key away means it.
  rmSync(join(dataDir, "master.key"));
  expect((await initManagement(optionsFor(dataDir))).token).toStartWith("qfp_");
});

test("neither token nor password rest on disk", async () => {
  const dataDir = tempFolder();
  const { token } = await initManagement(optionsFor(dataDir));
  for (const name of readdirSync(dataDir)) {
    const bytes = readFileSync(join(dataDir, name));
    expect([name, bytes.includes(token), bytes.includes(token.slice(4))]).toEqual([name, false, false]);
    expect(bytes.includes(owner.ownerPassword)).toBe(false);
  }
});

test("init refuses to run twice and changes nothing", async () => {
  const dataDir = tempFolder();
  await initManagement(optionsFor(dataDir));
  const key = readFileSync(join(dataDir, "master.key"));
  expect(await initManagement(optionsFor(dataDir)).catch(codeOf)).toBe("ERR_ALREADY_INITIALISED");
  expect(readFileSync(join(dataDir, "master.key")).equals(key)).toBe(true);
  rmSync(join(dataDir, "master.key"));
  expect(await initManagement(optionsFor(dataDir)).catch(codeOf)).toBe("ERR_ALREADY_INITIALISED");
  expect(readdirSync(dataDir)).not.toContain("master.key");
});

test("of many inits at once exactly one succeeds", async () => {
  const dataDir = join(tempFolder(), "management");
  const results = await Promise.allSettled([1, 2, 3, 4, 5].map(() => initManagement(optionsFor(dataDir))));
  const codes = results.map((result) => (result.status === "fulfilled" ? "ok" : codeOf(result.reason)));
  expect(codes.filter((code) => code === "ok")).toHaveLength(1);
  expect(codes.filter((code) => code === "ERR_ALREADY_INITIALISED")).toHaveLength(4);
  const store = openAgain(dataDir);
  expect(await store.read(listAccounts)).toHaveLength(1);
  await store.close();
});

test("init finishes what a crash left: a database without an account, a half-made one beside it", async () => {
  const dataDir = tempFolder();
  await openStore({ dataDir, clock, log: silentLog, create: true }).close();
  writeFileSync(join(dataDir, "management.db.new-abc"), "half");
  const { token } = await initManagement(optionsFor(dataDir));
  expect(token).toStartWith("qfp_");
});

test("a second account is not made by the one-time link's way either", async () => {
  const dataDir = tempFolder();
  await initManagement(optionsFor(dataDir));
  const store = openAgain(dataDir);
  const owner = { email: "eve@example.com", passwordHash: "x" };
  const again = store.transaction((tx) => createAccount(tx, new Uint8Array(32), owner));
  expect(await again.catch(codeOf)).toBe("ERR_ALREADY_INITIALISED");
  expect(await store.read(listAccounts)).toHaveLength(1);
  await store.close();
});

const badOwners = [
  { name: "no address", change: { ownerEmail: "" } },
  { name: "an address with a line break", change: { ownerEmail: "a@b.example\n" } },
  { name: "an empty password", change: { ownerPassword: "" } },
  { name: "a short password", change: { ownerPassword: "1234567" } },
];

test.each(badOwners)("init refuses $name and makes nothing", async ({ change }) => {
  const dataDir = join(tempFolder(), "management");
  expect(await initManagement({ ...optionsFor(dataDir), ...change }).catch(codeOf)).toBe("ERR_USAGE");
  expect(statSync(dataDir, { throwIfNoEntry: false })).toBeUndefined();
  mkdirSync(dataDir);
  expect(await initManagement({ ...optionsFor(dataDir), ...change }).catch(codeOf)).toBe("ERR_USAGE");
  expect(readdirSync(dataDir)).toEqual([]);
});

test.each(badOwners)("a second init with $name says that there is an account already", async ({ change }) => {
  const dataDir = tempFolder();
  await initManagement(optionsFor(dataDir));
  const again = initManagement({ ...optionsFor(dataDir), ...change });
  expect(await again.catch(codeOf)).toBe("ERR_ALREADY_INITIALISED");
});
