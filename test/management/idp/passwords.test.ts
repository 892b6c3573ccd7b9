import { afterAll, afterEach, expect, spyOn, test } from "bun:test";
import { createAttempts } from "../../../src/management/idp/attempts.ts";
import { CookieKeys } from "../../../src/management/idp/cookie-keys.ts";
import { createPasswordCheck, hashPassword } from "../../../src/management/idp/passwords.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { fakeAccounts } from "../../support/idp-store.ts";

let verify = spyOn(Bun.password, "verify");
afterEach(() => verify.mockClear());
afterAll(() => verify.mockRestore());

const passwordHash = await hashPassword("correct horse");
const accounts = fakeAccounts([
  { subject: "a", email: "ada@example.com", name: "Ada", passwordHash },
  { subject: "n", email: "none@example.com", name: "None", passwordHash: "" },
]);

test("a password is hashed with argon2id", () => {
  expect(passwordHash).toStartWith("$argon2id$");
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
  const outcome = await passwords.check(email, password, "192.0.2.1");
  expect<string>(outcome.kind).toBe(want);
  expect(verify).toHaveBeenCalledTimes(hashes);
});

test("tries are counted per person, whatever the case, and again after five minutes", async () => {
  const clock = new FakeClock();
  const passwords = createPasswordCheck({ accounts, clock });
  const attempt = async (email: string, source: string) => (await passwords.check(email, "", source)).kind;
  for (let i = 0; i < 10; i++) expect(await attempt("ada@example.com", `192.0.2.${i}`)).toBe("wrong");
  expect(await attempt("ADA@example.com", "192.0.2.200")).toBe("too_many");
  expect(await attempt("bob@example.com", "192.0.2.200")).toBe("wrong");
  clock.advanceMs(5 * 60_000);
  expect(await attempt("ada@example.com", "192.0.2.200")).toBe("wrong");
});

test("tries are counted per source, for whomever", async () => {
  const passwords = createPasswordCheck({ accounts, clock: new FakeClock() });
  const kinds: string[] = [];
  for (let i = 0; i < 70; i++) {
    kinds.push((await passwords.check(`p${i}@example.com`, "", `2001:db8::${i.toString(16)}`)).kind);
  }
  expect(kinds.indexOf("too_many")).toBe(60);
});

test("successes of one source are not counted", async () => {
  verify.mockResolvedValue(true);
  const passwords = createPasswordCheck({ accounts, clock: new FakeClock() });
  for (let i = 0; i < 100; i++) {
    expect((await passwords.check("ada@example.com", "correct horse", "192.0.2.1")).kind).toBe("ok");
  }
  verify.mockRestore();
  verify = spyOn(Bun.password, "verify");
});

test("many good tries at once are not taken for guessing, many bad ones are", async () => {
  const passwords = createPasswordCheck({ accounts, clock: new FakeClock() });
  const all = (password: string) =>
    Promise.all(
      Array.from({ length: 20 }, () => passwords.check("ada@example.com", password, "192.0.2.1")),
    ).then((outcomes) => outcomes.map(({ kind }) => kind));
  expect(new Set(await all("correct horse"))).toEqual(new Set(["ok"]));
  expect((await all("wrong")).filter((kind) => kind === "wrong")).toHaveLength(10);
  expect(await all("correct horse")).not.toContain("ok");
});

test("a success gives the tries back", async () => {
  const passwords = createPasswordCheck({ accounts, clock: new FakeClock() });
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 8; i++) await passwords.check("ada@example.com", "", "192.0.2.1");
    const { kind } = await passwords.check("ada@example.com", "correct horse", "192.0.2.1");
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
