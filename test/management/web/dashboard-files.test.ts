import { beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dashboardFiles } from "../../../src/management/web/dashboard-files.ts";
import { executablePath } from "../../support/executable.ts";

beforeAll(async () => void (await executablePath()), 120_000);

test("the page begins with a script and a style sheet that are there, in both encodings", () => {
  const built = dashboardFiles();
  for (const name of [built?.script ?? "", built?.style ?? "", ...(built?.preload ?? [])]) {
    const file = built?.files[name];
    expect([name, existsSync(file?.zstd ?? ""), existsSync(file?.gzip ?? "")]).toEqual([name, true, true]);
  }
});

test("what comes with the first page is at most 200 kB of script, as gzip", () => {
  const built = dashboardFiles();
  const first = new Set([built?.script ?? "", ...(built?.preload ?? [])]);
  const bytes = [...first].reduce((sum, name) => sum + Bun.file(built?.files[name]?.gzip ?? "").size, 0);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(200_000);
});
