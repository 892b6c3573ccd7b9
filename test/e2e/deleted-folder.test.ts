/** A working directory that was deleted: commands work there all the same. */
import { beforeAll, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executablePath } from "../support/executable.ts";

let executable: string;

beforeAll(async () => {
  executable = await executablePath();
}, 120_000);

/** Runs `command` by sh in a folder that is gone by then, or in a `kept` one. */
function runIn(folder: "gone" | "kept", command: string) {
  const path = mkdtempSync(join(tmpdir(), "qf-folder-"));
  const script = `cd ${path} && ${folder === "gone" ? `rmdir ${path} && ` : ""}${command}`;
  const env = { PATH: "/usr/bin:/bin", HOME: tmpdir(), QF_AGENT_STATE_DIR: "/nonexistent" };
  const { stdout, stderr, exitCode } = Bun.spawnSync(["sh", "-c", script], { cwd: "/", env });
  return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode, path };
}

test.each(["version", "ssh --help", "completion bash", "proxy match no-peer.example.com; test $? = 1"])(
  "qf %s says there what it says elsewhere",
  (args) => {
    const gone = runIn("gone", `${executable} ${args}`);
    const kept = runIn("kept", `${executable} ${args}`);
    expect({ ...gone, path: "" }).toEqual({ ...kept, path: "" });
    expect(gone.exitCode).toBe(0);
  },
);

test("a folder that is there stays the working directory", () => {
  const run = runIn("kept", `${executable} ssh -W - 2>/dev/null; readlink /proc/self/cwd`);
  expect(run.stdout.trim()).toBe(run.path);
});

test("a very long path is no deleted one", () => {
  const deep = Array.from({ length: 30 }, () => "d".repeat(150)).join("/");
  const run = runIn(
    "kept",
    `mkdir -p ${deep.slice(0, 3800)} && cd ${deep.slice(0, 3800)} && ${executable} version`,
  );
  expect(run.exitCode).toBe(0);
});
