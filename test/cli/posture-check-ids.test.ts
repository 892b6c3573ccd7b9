import { expect, test } from "bun:test";
import { isQfError } from "../../src/base/errors.ts";
import type { Admin } from "../../src/cli/admin.ts";
import { checkIds } from "../../src/cli/posture-check-ids.ts";
import { PostureCheck } from "../../src/wire/posture.ts";

const CHECKS = ["recent", "office", "office"].map((name, index) =>
  PostureCheck.parse({ id: `${index}`.repeat(20), name, description: "", checks: {} }),
);

/** Answers with `CHECKS`, and counts how often it is asked. */
function anAdmin(): Pick<Admin, "request"> & { asked: number } {
  const admin = {
    asked: 0,
    request: async (_method: string, _path: string, { answer }: { answer: { safeParse: unknown } }) => {
      admin.asked += 1;
      const parsed = (answer as typeof PostureCheck).safeParse(CHECKS);
      if (!parsed.success) throw parsed.error;
      return { value: parsed.data as never, text: "" };
    },
  };
  return admin;
}

test("checks are named by name or id; nothing named is no check, and no flag is no change", async () => {
  const admin = anAdmin();
  expect(await checkIds(admin, `recent, ${"1".repeat(20)}`)).toEqual(["0".repeat(20), "1".repeat(20)]);
  expect(await checkIds(admin, "")).toEqual([]);
  expect(await checkIds(admin, undefined)).toBeUndefined();
  expect(admin.asked).toBe(1);
});

test.each([
  ["recent,none", "ERR_NOT_FOUND"],
  ["office", "ERR_CONFLICT"],
])("%s is %s", async (text, code) => {
  const refusal = await checkIds(anAdmin(), text).catch((error: unknown) => error);
  expect(isQfError(refusal) ? refusal.code : refusal).toBe(code);
});
