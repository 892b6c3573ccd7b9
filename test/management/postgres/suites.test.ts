import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { hasPostgres, testPostgres } from "../../support/postgres.ts";

const ROOT = resolve(import.meta.dir, "../../..");
/** Suites that see no difference between databases, and how many tests they have at least. */
const SUITES: readonly (readonly [string, readonly string[], number])[] = [
  [
    "store and API",
    [
      "test/management/http/**/*.test.ts",
      "test/management/db/store.test.ts",
      "test/management/db/tables/peers.test.ts",
      "test/management/db/tables/map-changes.test.ts",
      "test/management/maps/*.test.ts",
      "test/management/sync/audit-ingest.test.ts",
      "test/management/log/*.test.ts",
      "test/management/db/tables/log-*.test.ts",
    ],
    200,
  ],
  ["sign-in", ["test/management/login/*.test.ts"], 60],
  ["control links", ["test/management/sync/hub.test.ts", "test/management/sync/handshake.test.ts"], 45],
  ["the relay", ["test/management/relay/hub.test.ts"], 35],
];
const TIMEOUT_MS = 240_000;

test.skipIf(!hasPostgres).each([...SUITES])(
  "the suites of %s pass on PostgreSQL as on SQLite",
  async (_name, patterns, passesMin) => {
    const found = patterns.map((pattern) => [...new Bun.Glob(pattern).scanSync(ROOT)]);
    expect(patterns.filter((_, i) => found[i]?.length === 0)).toEqual([]);
    const files = found.flat();
    const preload = "./test/support/postgres-suite.ts";
    const child = Bun.spawn(
      [
        process.execPath,
        "test",
        "--timeout",
        "30000",
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

function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}
