import { expect, test } from "bun:test";
import { join } from "node:path";
import { logLevelOf, silentLog } from "../../src/base/log.ts";

const LOG = join(import.meta.dir, "../../src/base/log.ts");

/** What a process writes that runs `body` with a log of `level`. */
function written(level: string, body: string): { stdout: string; lines: Record<string, unknown>[] } {
  const script = `import { createLog } from ${JSON.stringify(LOG)}; const log = createLog("${level}"); ${body}`;
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", script]);
  const lines = stderr.toString().split("\n").filter(Boolean);
  return { stdout: stdout.toString(), lines: lines.map((line) => JSON.parse(line)) };
}

const ALL = `log.error("e"); log.warn("w"); log.info("i"); log.debug("d");`;

test.each([
  ["debug", ["e", "w", "i", "d"]],
  ["info", ["e", "w", "i"]],
  ["warn", ["e", "w"]],
  ["error", ["e"]],
  ["silent", []],
])("level %s writes %j, to stderr only", (level, messages) => {
  const { stdout, lines } = written(level, ALL);
  expect(lines.map(({ message }) => message)).toEqual(messages);
  expect(stdout).toBe("");
});

test("an entry is one line of JSON: time, level, message and fields", () => {
  const { lines } = written("info", `log.info("opened", { connectionId: "c\\nd", count: 2, none: null });`);
  expect(lines).toHaveLength(1);
  const [entry] = lines;
  expect(entry).toMatchObject({
    level: "info",
    message: "opened",
    connectionId: "c\nd",
    count: 2,
    none: null,
  });
  expect(new Date(String(entry?.time)).toISOString()).toBe(String(entry?.time));
});

test("a cause is told with its stack; one that is no error by its type only", () => {
  const { lines } = written(
    "info",
    `log.error("x", {}, new TypeError("why")); log.warn("y", {}, "a secret");`,
  );
  expect(lines[0]).toMatchObject({ cause: "TypeError: why" });
  expect(String(lines[0]?.stack)).toContain("why");
  expect(lines[1]).toMatchObject({ cause: "string" });
  expect(JSON.stringify(lines[1])).not.toContain("secret");
});

test("an error of drizzle, whose message holds bound parameters, is told by its name only", () => {
  const body = `const e = new Error("params: hunter2"); e.name = "DrizzleQueryError"; log.error("x", {}, e);`;
  const { lines } = written("info", body);
  expect(lines[0]?.cause).toBe("DrizzleQueryError");
  expect(JSON.stringify(lines)).not.toContain("hunter2");
});

test("silentLog takes everything and writes nothing", () => {
  for (const level of ["error", "warn", "info", "debug"] as const) {
    expect(silentLog[level]("anything", {})).toBeUndefined();
  }
});

test.each([
  ["a full disk", '"$0" -e "$1" 2>/dev/full; echo "status $?"'],
  [
    "a pipe that nobody reads",
    'exec 3>&1; { sleep 0.2; "$0" -e "$1" 2>&1 >&3; echo "status $?" >&3; } | true',
  ],
])("a log that cannot be written to %s ends nobody", (_name, command) => {
  const body = `for (let i = 0; i < 5; i++) { log.info("i"); await Bun.sleep(5); } console.log("alive");`;
  const script = `import { createLog } from ${JSON.stringify(LOG)}; const log = createLog("info"); ${body}`;
  const { stdout } = Bun.spawnSync(["sh", "-c", command, process.execPath, script]);
  expect(stdout.toString()).toBe("alive\nstatus 0\n");
});

test.each([
  [{}, "info"],
  [{ QF_DEBUG: "1" }, "debug"],
  [{ QF_DEBUG: "0" }, "info"],
  [{ QF_LOG_LEVEL: "warn" }, "warn"],
  [{ QF_LOG_LEVEL: "error", QF_DEBUG: "1" }, "error"],
  [{ QF_LOG_LEVEL: "loud" }, "info"],
  [{ QF_LOG_LEVEL: "" }, "info"],
])("an environment of %j asks for %s", (environment, level) => {
  expect(logLevelOf(environment)).toBe(level as never);
});
