import { afterAll, afterEach, expect, spyOn, test } from "bun:test";
import { createAttempts } from "../../../src/management/idp/attempts.ts";
import { CookieKeys } from "../../../src/management/idp/cookie-keys.ts";
import { createPasswordCheck, hashPassword, type TrySource } from "../../../src/management/idp/passwords.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { fakeAccounts } from "../../support/idp-store.ts";
import { hashAsProduct } from "../../support/quick-passwords.ts";

let verify = spyOn(Bun.password, "verify");
afterEach(() => verify.mockClear());
afterAll(() => verify.mockRestore());

const passwordHash = await hashPassword("correct horse");
const accounts = fakeAccounts([
  { subject: "a", email: "ada@example.com", name: "Ada", passwordHash, mustChange: false },
  { subject: "n", email: "none@example.com", name: "None", passwordHash: "", mustChange: false },
]);

const from = (address: string, browser?: string): TrySource => ({
  address,
  knownBrowser: () => browser ?? null,
});

test("a password is hashed with argon2id, at 64 MiB and two passes", async () => {
  expect(passwordHash).toStartWith("$argon2id$");
  const hash = spyOn(Bun.password, "hash").mockImplementationOnce(hashAsProduct);
  const full = await hashPassword("correct horse").finally(() => hash.mockRestore());
  expect(full).toStartWith("$argon2id$v=19$m=65536,t=2,p=1$");
});

test.each([
  {
    name: "the right password",
    email: " Ada@Example.com ",
    password: "correct horse",
    want: "ok",
    hashes: 1,
  },
  { name: "a wrong password", email: "ada@example.com", password: "wrong", want: "wrong", hashes: 1 },
  {
    name: "an unknown person",
    email: "eve@example.com",
    password: "correct horse",
    want: "wrong",
    hashes: 1,
  },
  { name: "a person without a password", email: "none@example.com", password: "x", want: "wrong", hashes: 1 },
  { name: "an empty password", email: "ada@example.com", password: "", want: "wrong", hashes: 0 },
  {
    name: "no password of a person without one",
    email: "none@example.com",
    password: "",
    want: "wrong",
    hashes: 0,
  },
  {
    name: "an endless password",
    email: "ada@example.com",
    password: "x".repeat(2000),
    want: "wrong",
    hashes: 0,
  },
])("$name costs $hashes hashes and is $want", async ({ email, password, want, hashes }) => {
  const passwords = createPasswordCheck({ accounts, clock: new FakeClock() });
  const outcome = await passwords.check(email, password, from("192.0.2.1"));
  expect<string>(outcome.kind).toBe(want);
  expect(verify).toHaveBeenCalledTimes(hashes);
  // A hash that is none would be refused at once, and tell that nobody is there.
  for (const [, hash] of verify.mock.calls) expect(hash).toStartWith("$argon2id$");
});

/** Tries wrong passwords for Ada from so many sources, and how long each was held up. */
async function guess(sources: readonly string[], tries: number) {
  const pauses: number[] = [];
  const clock = new FakeClock();
  const pause = async (ms: number) => void pauses.push(ms);
  const passwords = createPasswordCheck({ accounts, clock, pause });
  const kinds: string[] = [];
  for (const source of sources) {
    for (let i = 0; i < tries; i++) {
      kinds.push((await passwords.check("ada@example.com", "", from(source))).kind);
    }
  }
  return { passwords, clock, pauses, kinds };
}

test("tries are counted per source and person, whatever the case, and again after five minutes", async () => {
  const { passwords, clock, kinds } = await guess(["192.0.2.1"], 11);
  expect(kinds).toEqual([...new Array<string>(10).fill("wrong"), "too_many"]);
  const attempt = async (email: string, source: string) =>
    (await passwords.check(email, "correct horse", from(source))).kind;
  expect(await attempt("ADA@example.com", "192.0.2.1")).toBe("too_many");
  expect(await attempt("bob@example.com", "192.0.2.1")).toBe("wrong");
  clock.advanceMs(5 * 60_000);
  expect(await attempt("ada@example.com", "192.0.2.1")).toBe("ok");
});

test("guessing from everywhere holds a person's own try up, and never shuts it out", async () => {
  const sources = Array.from({ length: 200 }, (_, i) => `198.51.100.${i}`);
  const { passwords, pauses } = await guess(sources, 10);
  expect(pauses.slice(0, 12)).toEqual([...new Array<number>(10).fill(0), 250, 500]);
  expect(Math.max(...pauses)).toBe(5_000);
  const own = await passwords.check("ada@example.com", "correct horse", from("192.0.2.1"));
  expect(own.kind).toBe("ok");
  expect(pauses.at(-1)).toBe(5_000);
  // Others are not held up by it.
  await passwords.check("bob@example.com", "x", from("192.0.2.1"));
  expect(pauses.at(-1)).toBe(0);
});

test("a browser that has signed in before has tries of its own, at the very source that guesses", async () => {
  const { passwords, pauses } = await guess(["192.0.2.1"], 20);
  const own = from("192.0.2.1", "browser");
  expect((await passwords.check("ada@example.com", "correct horse", from("192.0.2.1"))).kind).toBe(
    "too_many",
  );
  expect((await passwords.check("ada@example.com", "correct horse", own)).kind).toBe("ok");
  expect(pauses.at(-1)).toBe(0);
  // Stolen, such a cookie guesses no faster than anybody.
  const kinds: string[] = [];
  for (let i = 0; i < 11; i++) kinds.push((await passwords.check("ada@example.com", "x", own)).kind);
  expect(kinds).toEqual([...new Array<string>(10).fill("wrong"), "too_many"]);
});

test.each([
  ["one /64", (i: number) => `2001:db8::${i.toString(16)}`, 10],
  ["one /56", (i: number) => `2001:db8:0:${i.toString(16)}::1`, 20],
  ["one /48", (i: number) => `2001:db8:0:${(i * 256).toString(16)}::1`, 40],
])("tries for one person from all of %s are bounded together", async (_name, addressOf, want) => {
  const sources = Array.from({ length: 60 }, (_, i) => addressOf(i));
  const { kinds } = await guess(sources, 1);
  expect(kinds.filter((kind) => kind === "wrong")).toHaveLength(want);
});

test("tries are counted per source, for whomever", async () => {
  const passwords = createPasswordCheck({ accounts, clock: new FakeClock() });
  const kinds: string[] = [];
  for (let i = 0; i < 70; i++) {
    kinds.push((await passwords.check(`p${i}@example.com`, "", from(`2001:db8::${i.toString(16)}`))).kind);
  }
  expect(kinds.indexOf("too_many")).toBe(60);
});

test("successes of one source are not counted", async () => {
  verify.mockResolvedValue(true);
  const passwords = createPasswordCheck({ accounts, clock: new FakeClock() });
  for (let i = 0; i < 100; i++) {
    expect((await passwords.check("ada@example.com", "correct horse", from("192.0.2.1"))).kind).toBe("ok");
  }
  verify.mockRestore();
  verify = spyOn(Bun.password, "verify");
});

test("many good tries at once are not taken for guessing, many bad ones are", async () => {
  const passwords = createPasswordCheck({ accounts, clock: new FakeClock() });
  const all = (password: string) =>
    Promise.all(
      Array.from({ length: 20 }, () => passwords.check("ada@example.com", password, from("192.0.2.1"))),
    ).then((outcomes) => outcomes.map(({ kind }) => kind));
  expect(new Set(await all("correct horse"))).toEqual(new Set(["ok"]));
  expect((await all("wrong")).filter((kind) => kind === "wrong")).toHaveLength(10);
  expect(await all("correct horse")).not.toContain("ok");
});

test("a success gives the tries back", async () => {
  const passwords = createPasswordCheck({ accounts, clock: new FakeClock() });
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 8; i++) await passwords.check("ada@example.com", "", from("192.0.2.1"));
    const { kind } = await passwords.check("ada@example.com", "correct horse", from("192.0.2.1"));
    expect(kind).toBe("ok");
  }
});

test("attempts remember a bounded number of keys", () => {
  const attempts = createAttempts(new FakeClock(), { countMax: 1, windowMs: 60_000 });
  expect(attempts.take("first")).toBe(true);
  expect(attempts.take("first")).toBe(false);
  for (let i = 0; i < 20_001; i++) attempts.take(`key ${i}`);
  expect(attempts.take("first")).toBe(true);
});

test("cookie keys sign with the first and verify with all", () => {
  const keys = new CookieKeys(["new", "old"]);
  const old = new CookieKeys(["old"]).sign("a=b");
  expect(keys.verify("a=b", keys.sign("a=b"))).toBe(true);
  expect(keys.index("a=b", old)).toBe(1);
  expect(keys.verify("a=c", old)).toBe(false);
  expect(keys.verify("a=b", "")).toBe(false);
});

test("each wrong password is reported with where it came from, and a right one is not", async () => {
  const failures: object[] = [];
  const onFailure = async (failure: object) => void failures.push(failure);
  const check = createPasswordCheck({ accounts, clock: new FakeClock(), pause: async () => {}, onFailure });
  const from = { address: "203.0.113.9" };
  await check.check("ada@example.com", "correct horse", from);
  await check.check("ada@example.com", "wrong", from);
  await check.check("nobody@example.com", "wrong", from);
  expect(failures).toEqual([
    { email: "ada@example.com", sourceAddress: "203.0.113.9" },
    { email: "nobody@example.com", sourceAddress: "203.0.113.9" },
  ]);
});
