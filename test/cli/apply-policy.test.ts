/** Applying a file: what is sent is the plan that was shown, and nothing where the plan has moved. */
import { expect, test } from "bun:test";
import { QfError } from "../../src/base/errors.ts";
import type { Admin } from "../../src/cli/admin.ts";
import { applyFile } from "../../src/cli/apply-policy.ts";

const DIFF = {
  ...{ version: 7, digest: "d".repeat(43), same: false, changes: [], warnings: [], ends: [] },
  ...{ gained: { total: 0, rows: [] }, lost: { total: 0, rows: [] } },
  decisions: { days: 7, considered: 0, truncated: false, differ: [] },
  tests: { passed: 0, failed: 0, results: [] },
};

/** An API that shows `diff`, then answers `applied`; and what it was asked. */
function anAdmin(diff: object, applied: object = {}) {
  const asked: [path: string, body: unknown][] = [];
  const request = (_: string, path: string, { body }: { body: unknown }) => {
    asked.push([path, body]);
    const value = path.endsWith("/diff") ? diff : applied;
    return value instanceof Error ? Promise.reject(value) : Promise.resolve({ value, text: "{}" });
  };
  return { asked, admin: { request } as unknown as Admin };
}

test("what is applied is the plan that was shown, with the reason that was given", async () => {
  const { asked, admin } = anAdmin(DIFF, { version: 8, changes: [], tests: DIFF.tests, forced: false });
  const status = await applyFile(admin, { text: "x" }, { yes: true, reason: " OPS-7 ", json: true });
  const { version, digest } = DIFF;
  expect(status).toBe(0);
  expect(asked[1]).toEqual(["/api/policy/apply", { text: "x", version, digest, reason: "OPS-7" }]);
});

test.each([
  ["the account is at another version", { yes: true, version: 6 }, "ERR_CONFLICT", 1],
  ["the reason is none", { yes: true, reason: "x" }, "ERR_USAGE", 0],
])("nothing is applied where %s", async (_, options, code, questions) => {
  const { asked, admin } = anAdmin(DIFF);
  const failure = await applyFile(admin, { text: "x" }, { json: true, ...options }).catch((error) => error);
  expect([failure.code, asked.length]).toEqual([code, questions]);
});

test("a refusal of the very plan is the refusal; of a plan that moved, it is exit status 1", async () => {
  const refusal = new QfError("ERR_CONFLICT", "a test fails");
  const { admin } = anAdmin(DIFF, refusal);
  expect(await applyFile(admin, { text: "x" }, { yes: true, json: true }).catch((error) => error)).toBe(
    refusal,
  );
  let version = 7;
  const moving = anAdmin(
    {
      ...DIFF,
      get version() {
        return version++;
      },
    },
    refusal,
  );
  expect(await applyFile(moving.admin, { text: "x" }, { yes: true, json: true })).toBe(1);
});
