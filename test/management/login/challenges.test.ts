import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isQfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { openStore } from "../../../src/management/db/store.ts";
import { createChallenges } from "../../../src/management/login/challenges.ts";
import { newOneTimeCode, oneTimeCodeHash } from "../../../src/management/login/one-time-code.ts";
import { Challenge } from "../../../src/wire/client-api.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
mkdirSync(join(folder, "data"), { mode: 0o700 });
const clock = new FakeClock();
const store = openStore({ dataDir: join(folder, "data"), clock, log: silentLog, create: true });
const challenges = createChallenges({ store, clock, masterKey: new Uint8Array(32).fill(1) });

afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function isRefused(challenge: string): Promise<boolean> {
  return challenges.use(challenge).then(
    () => false,
    (error: unknown) => isQfError(error, "ERR_UNAUTHENTICATED"),
  );
}

test("a challenge is used once, also by many at once", async () => {
  const issued = Challenge.parse(challenges.issue());
  const results = await Promise.all(Array.from({ length: 20 }, () => isRefused(issued.challenge)));
  expect(results.filter((refused) => !refused)).toHaveLength(1);
});

test("a challenge is good for a minute", async () => {
  const inTime = challenges.issue().challenge;
  clock.advanceMs(59_000);
  expect(await isRefused(inTime)).toBe(false);
  const late = challenges.issue().challenge;
  clock.advanceMs(60_000);
  expect(await isRefused(late)).toBe(true);
});

test.each([
  { name: "made up", bend: () => "A".repeat(43) },
  { name: "empty", bend: () => "" },
  { name: "written otherwise", bend: (text: string) => `${text}=` },
  { name: "changed in its expiry", bend: (text: string) => `f${text.slice(1)}` },
  {
    name: "changed in its end",
    bend: (text: string) => `${text.slice(0, -2)}${text.endsWith("AA") ? "BA" : "AA"}`,
  },
  {
    name: "of another server",
    bend: () => createChallenges({ store, clock, masterKey: new Uint8Array(32).fill(2) }).issue().challenge,
  },
])("a challenge that is $name is refused", async ({ bend }) => {
  expect(await isRefused(bend(challenges.issue().challenge))).toBe(true);
});

test("a one-time code has no characters to confuse and is taken in any writing", () => {
  for (let i = 0; i < 200; i++) expect(newOneTimeCode()).toMatch(/^[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}$/);
  const hash = oneTimeCodeHash("id", "ABCD-2345");
  expect(oneTimeCodeHash("id", " abcd2345 ")).toBe(hash);
  expect(oneTimeCodeHash("id", "abcd 2345")).toBe(hash);
  expect(oneTimeCodeHash("other", "ABCD-2345")).not.toBe(hash);
});
