/** The audit log, exported and verified by the executable: what was done to it is found and named. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type LogServer, startLogServer } from "../support/log-server.ts";

describe("the audit log", () => {
  let server: LogServer;
  let key: string;
  let lines: string[];

  const text = (name: string): string => readFileSync(join(server.folder, name), "utf8");
  const verify = async (name: string, ...args: string[]) => {
    const { exitCode, stdout } = await server.audit("verify", name, "--json", ...args);
    const findings: { code: string; seq: number | null }[] = JSON.parse(stdout).findings;
    return { exitCode, found: findings.map(({ code, seq }) => `${code} ${seq ?? "-"}`) };
  };
  /** The bundle with its lines edited, verified. `index` 0 is the header; entry N is line N. */
  const verifyEdited = (edit: (text: string, index: number) => string | string[], ...args: string[]) =>
    verify(
      server.file(
        "edited.jsonl",
        lines
          .flatMap(edit)
          .map((line) => `${line}\n`)
          .join(""),
      ),
      "--key",
      key,
      ...args,
    );

  beforeAll(async () => {
    server = await startLogServer();
    await server.grow(30);
    expect(await server.audit("checkpoint", "--out", "old")).toMatchObject({ exitCode: 0 });
    copyFileSync(join(server.folder, "old"), join(server.folder, "older"));
    await server.grow(10);
    key = ((await server.api("/api/events/audit/checkpoint")) as { keys: string[] }).keys.at(-1) ?? "";
    expect(await server.audit("export", "--out", "audit.jsonl")).toMatchObject({ exitCode: 0, stdout: "" });
    lines = text("audit.jsonl").trimEnd().split("\n");
  }, 120_000);

  afterAll(async () => {
    await server?.management.close();
  });

  test("an export verifies by the key, and by a checkpoint that was kept outside", async () => {
    expect(await verify("audit.jsonl", "--key", key)).toEqual({ exitCode: 0, found: [] });
    expect(await verify("audit.jsonl", "--checkpoint", "old")).toEqual({ exitCode: 0, found: [] });
    expect(
      await verify("audit.jsonl", "--key", server.file("key", `${key}\n`), "--checkpoint", "old"),
    ).toEqual({
      exitCode: 0,
      found: [],
    });
    expect(statSync(join(server.folder, "audit.jsonl")).mode & 0o777).toBe(0o600);
  });

  test("by nothing but its own keys it is unanchored: exit 3", async () => {
    const { exitCode, stdout, stderr } = await server.audit("verify", "audit.jsonl");
    expect(exitCode).toBe(3);
    expect(stdout).toContain("verified: ");
    expect(stderr).toContain("unanchored");
  });

  test("against the server the same is checked, without a file", async () => {
    expect((await server.audit("verify", "--key", key, "--checkpoint", "old")).exitCode).toBe(0);
    expect((await server.audit("verify")).exitCode).toBe(3);
  });

  test("one byte changed in an entry is found and named", async () => {
    const edited = await verifyEdited((line, i) => (i === 9 ? line.replace("group", "gruop") : line));
    expect(edited).toEqual({ exitCode: 1, found: ["entry_changed 9"] });
  });

  test("one entry removed is found and named", async () => {
    expect(await verifyEdited((line, i) => (i === 9 ? [] : line))).toEqual({
      exitCode: 1,
      found: ["entry_missing 9"],
    });
  });

  test("two entries swapped are found and named", async () => {
    const edited = await verifyEdited((line, i) =>
      i === 9 ? (lines[10] ?? "") : i === 10 ? (lines[9] ?? "") : line,
    );
    expect(edited).toEqual({ exitCode: 1, found: ["entry_misplaced 9"] });
  });

  test("a bundle that was cut off is found", async () => {
    expect((await verifyEdited((line, i) => (i > 20 ? [] : line))).exitCode).toBe(1);
  });

  test("a log that was cut back since a checkpoint is found", async () => {
    await server.audit("export", "--out", "before.jsonl");
    await server.grow(2);
    await server.audit("checkpoint", "--out", "newest");
    const cut = await verify("before.jsonl", "--key", key, "--checkpoint", "newest");
    expect(cut.exitCode).toBe(1);
    expect(cut.found).toEqual([`rolled_back ${lines.length - 2}`]);
  });

  test("a checkpoint of another account, and the bundle of one, are found", async () => {
    const other = await startLogServer();
    try {
      const { stdout: note } = await other.audit("checkpoint");
      const found = await verify("audit.jsonl", "--key", key, "--checkpoint", server.file("foreign", note));
      expect(found).toEqual({ exitCode: 1, found: ["other_log -"] });
      const { stdout: bundle } = await other.audit("export");
      expect(await verify(server.file("foreign.jsonl", bundle), "--key", key)).toEqual({
        exitCode: 1,
        found: ["other_log -"],
      });
    } finally {
      await other.management.close();
    }
  }, 60_000);

  test("an export of some time verifies as well, and one for a spreadsheet is a table", async () => {
    const some = ["--since", "1h", "--until", "2100-01-01"];
    const { stdout } = await server.audit("export", ...some);
    expect((await verify(server.file("some.jsonl", stdout), "--key", key)).exitCode).toBe(0);
    const csv = (await server.audit("export", "--format", "csv")).stdout.split("\n");
    expect(csv[0]).toStartWith("seq,time,activity,");
    expect(csv[1]).toStartWith("1,");
  });

  test("what is no bundle is said to be none", async () => {
    expect(await verify(server.file("none", "hello\n"))).toEqual({
      exitCode: 1,
      found: ["bundle_unreadable -"],
    });
    expect(await verify(server.file("empty", ""))).toEqual({ exitCode: 1, found: ["bundle_unreadable -"] });
    const long = `${lines[0]}\n${"x".repeat(5 * 1024 * 1024)}`;
    expect((await verify(server.file("long", long), "--key", key)).exitCode).toBe(1);
    expect((await server.audit("verify", "not-there")).exitCode).toBe(1);
    expect((await server.audit("verify", "audit.jsonl", "--key", "x")).exitCode).toBe(2);
  });

  test("events are listed by person, activity and time, in pages", async () => {
    const list = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await server.audit("list", "--json", ...args);
      expect([exitCode, stderr]).toEqual([0, ""]);
      return JSON.parse(stdout).map((event: { id: string }) => Number(event.id));
    };
    const all = await list("--activity", "group.add", "--user", "owner@example.com");
    expect(all).toHaveLength(42);
    expect(await list("--activity", "group.*", "--limit", "2", "--before", String(all[1]))).toEqual(
      all.slice(2, 4),
    );
    expect(await list("--until", "2001-01-01")).toEqual([]);
    expect((await server.audit("list", "--limit", "2")).stderr).toContain("--before");
    expect((await server.audit("list", "--since", "soon")).exitCode).toBe(2);
  });

  test("the tail takes the filters of the list", async () => {
    const tail = async (...args: string[]) => {
      const { stdout } = await server.audit("tail", "--json", "--lines", "3", ...args);
      return JSON.parse(stdout).map(({ activity_code }: { activity_code: string }) => activity_code);
    };
    expect(await tail("--activity", "group.*")).toEqual(["group.add", "group.add", "group.add"]);
    expect(await tail("--activity", "group.*", "--user", "nobody@example.com")).toEqual([]);
    expect(await tail("--machine", "no-such-machine")).toEqual([]);
    expect(await tail("--until", "2001-01-01")).toEqual([]);
    expect((await server.audit("tail", "--since", "soon")).exitCode).toBe(2);
  });
});
