import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nowSeconds } from "../../src/base/clock.ts";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { isQfError } from "../../src/base/errors.ts";
import { newId } from "../../src/base/random.ts";
import { createLoginCache } from "../../src/client/login-cache.ts";
import type { CachedLogin } from "../../src/wire/state-file.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { tempFolder } from "../support/temp-folder.ts";

const ORIGIN = "https://qf.example.com";

function aLogin(clock: FakeClock, change: Partial<CachedLogin> = {}): CachedLogin {
  return {
    format: 1,
    origin: ORIGIN,
    accountId: newId(),
    seed: generateEd25519().seed,
    loginId: newId(),
    binding: "idp",
    idToken: "a.b.c",
    user: { id: newId(), name: "Ada", email: "ada@example.com" },
    devicePeerId: newId(),
    untilSeconds: nowSeconds(clock) + 600,
    ...change,
  };
}

function aCache(agentBootId?: string) {
  const clock = new FakeClock();
  const path = join(tempFolder(), "logins");
  return { clock, path, cache: createLoginCache({ clock, path, agentBootId }) };
}

function fileIn(path: string): string {
  return join(path, readdirSync(path).find((name) => name.startsWith("login-")) ?? "none");
}

test("a login comes back whole, from a file and a folder of its owner alone", async () => {
  const { clock, path, cache } = aCache();
  const login = aLogin(clock);
  await cache.write(login);
  expect(await cache.read(ORIGIN)).toEqual(login);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(fileIn(path)).mode & 0o777).toBe(0o600);
});

test("a login is of one management server only", async () => {
  const { clock, cache } = aCache();
  await cache.write(aLogin(clock));
  expect(await cache.read("https://other.example.com")).toBeUndefined();
});

test("a login is gone when its time is over, file and all", async () => {
  const { clock, path, cache } = aCache();
  await cache.write(aLogin(clock));
  clock.advanceMs(599_000);
  expect(await cache.read(ORIGIN)).toBeDefined();
  clock.advanceMs(1_000);
  expect(await cache.read(ORIGIN)).toBeUndefined();
  expect(readdirSync(path)).toEqual([]);
});

test("a login that is over already is not written at all", async () => {
  const { clock, path, cache } = aCache();
  await cache.write(aLogin(clock, { untilSeconds: nowSeconds(clock) }));
  expect(() => readdirSync(path)).toThrow();
});

test("remove takes a login away", async () => {
  const { clock, cache } = aCache();
  await cache.write(aLogin(clock));
  await cache.remove(ORIGIN);
  expect(await cache.read(ORIGIN)).toBeUndefined();
});

test.each([
  ["lives while that agent runs", "boot1", true],
  ["dies when another one runs", "boot2", false],
  ["dies when none runs", undefined, false],
])("a login that an agent asked to keep %s", async (_what, bootNow, isAlive) => {
  const boots: Record<string, string> = { boot1: newId(), boot2: newId() };
  const { clock, cache, path } = aCache(boots.boot1);
  await cache.write(aLogin(clock, { agentBootId: boots.boot1 ?? "" }));
  const later = createLoginCache({ clock, path, agentBootId: bootNow && boots[bootNow] });
  expect((await later.read(ORIGIN)) !== undefined).toBe(isAlive);
});

test("a damaged file is named, set aside, and is no login afterwards", async () => {
  const { clock, path, cache } = aCache();
  await cache.write(aLogin(clock));
  const file = fileIn(path);
  writeFileSync(file, "{");
  const error = await cache.read(ORIGIN).catch((reason: unknown) => reason);
  expect(isQfError(error, "ERR_STATE_DAMAGED")).toBe(true);
  expect(String(error)).toContain(file);
  expect(await cache.read(ORIGIN)).toBeUndefined();
  expect(readdirSync(path).some((name) => name.includes(".damaged-"))).toBe(true);
});

test("a file or folder that others may read is no login", async () => {
  const { clock, path, cache } = aCache();
  await cache.write(aLogin(clock));
  chmodSync(fileIn(path), 0o644);
  expect(await cache.read(ORIGIN)).toBeUndefined();
  chmodSync(fileIn(path), 0o600);
  chmodSync(path, 0o755);
  expect(await cache.read(ORIGIN)).toBeUndefined();
});

test("a link is no login", async () => {
  const { clock, path, cache } = aCache();
  await cache.write(aLogin(clock));
  const elsewhere = tempFolder();
  const file = fileIn(path);
  const name = file.slice(file.lastIndexOf("/") + 1);
  mkdirSync(join(elsewhere, "l"), { mode: 0o700 });
  symlinkSync(file, join(elsewhere, "l", name));
  const linked = createLoginCache({ clock, path: join(elsewhere, "l"), agentBootId: undefined });
  expect(await linked.read(ORIGIN)).toBeUndefined();
});

test("twenty writers and readers at once never mix two logins", async () => {
  const { clock, cache } = aCache();
  const logins = Array.from({ length: 20 }, () => aLogin(clock));
  const partner = new Map(logins.map((login) => [login.seed, login.loginId]));
  await Promise.all(
    logins.map(async (login) => {
      await cache.write(login);
      for (let i = 0; i < 5; i += 1) {
        const read = await cache.read(ORIGIN);
        if (read !== undefined) expect(partner.get(read.seed)).toBe(read.loginId);
      }
    }),
  );
  expect(await cache.read(ORIGIN)).toBeDefined();
});
