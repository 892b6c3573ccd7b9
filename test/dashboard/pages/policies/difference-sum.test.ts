import { expect, test } from "bun:test";
import { sumOf } from "../../../../src/dashboard/pages/policies/difference-sum.ts";

type Difference = Parameters<typeof sumOf>[0];

const rows = (total: number) => ({ total, rows: [] });
const NOTHING = {
  same: false,
  gained: rows(0),
  lost: rows(0),
  ends: [],
  tests: { passed: 0, failed: 0, results: [] },
} as Difference;

test.each<[change: object, sum: string]>([
  [{ same: true }, "nothing changes"],
  [{}, "nobody's access changes"],
  [{ gained: rows(14_000), lost: rows(2), ends: [{}] }, "14,000 gained, 2 lost, 1 live connection ends"],
  [{ ends: [{}, {}] }, "2 live connections end"],
  [{ tests: { passed: 1, failed: 1, results: [] } }, "1 test fails"],
  [{ tests: { passed: 0, failed: 2, results: [] } }, "2 tests fail"],
])("%j is summed up", (change, sum) => expect(sumOf({ ...NOTHING, ...change } as Difference)).toBe(sum));
