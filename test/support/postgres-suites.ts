/**
 * Suites of the store run once more in a process of their own, on PostgreSQL.
 */
import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { hasPostgres, testPostgres } from "./postgres.ts";

const ROOT = resolve(import.meta.dir, "../..");
/** For a machine that is three times as slow as it should be. */
const TIMEOUT_MS = 600_000;

/** Who may call which route is code of ours, the same on both, and many cases. */
const SAME_ON_BOTH: readonly string[] = ["test/management/http/admin/access.test.ts"];

/** What they are of, their files by pattern, and how many tests they have at least. */
export type Suite = readonly [name: string, patterns: readonly string[], passesMin: number];

/** One test for each: that every test of its files passes on PostgreSQL as well. */
export function passOnPostgres(suites: readonly Suite[]): void {
  test.skipIf(!hasPostgres).each([...suites])(
    "the suites of %s pass on PostgreSQL as on SQLite",
    async (_name, patterns, passesMin) => {
      const found = patterns.map((pattern) => [...new Bun.Glob(pattern).scanSync(ROOT)]);
      expect(patterns.filter((_, i) => found[i]?.length === 0)).toEqual([]);
      const files = found.flat().filter((file) => !SAME_ON_BOTH.includes(file));
      const preload = "./test/support/postgres-suite.ts";
      const child = Bun.spawn(
        [
          process.execPath,
          "test",
          "--timeout",
          "60000",
          "--preload",
          preload,
          ...files.sort().map((file) => `./${file}`),
        ],
        {
          cwd: ROOT,
          env: { ...process.env, QF_TEST_POSTGRES: (await testPostgres()).url },
          stdout: "pipe",
          stderr: "pipe",
          timeout: TIMEOUT_MS,
        },
      );
      const said = (await Promise.all([textOf(child.stdout), textOf(child.stderr)])).join("");
      const failed = said.split("\n").filter((line) => line.startsWith("(fail)"));
      expect(failed).toEqual([]);
      expect(await child.exited).toBe(0);
      expect(Number(/^\s*(\d+) pass/m.exec(said)?.[1])).toBeGreaterThan(passesMin);
    },
    TIMEOUT_MS,
  );
}

function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}
