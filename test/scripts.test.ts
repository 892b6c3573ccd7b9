/**
 * Transcripts of the compiled executable: what a person types, and what they see, to the letter.
 *
 * `$ command` (by sh), then stdout lines as they are, stderr lines after `! `, and `? N` for the exit
 * status. `{…}` stands for any text within a line. Each file runs in an empty HOME of its own.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executablePath } from "./support/executable.ts";

const FOLDER = join(import.meta.dir, "scripts");

interface Step {
  readonly command: string;
  readonly stdout: string[];
  readonly stderr: string[];
  status: number;
}

function parseScript(text: string): Step[] {
  const steps: Step[] = [];
  for (const line of text.split("\n")) {
    const step = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), stdout: [], stderr: [], status: 0 });
    else if (step === undefined || line.startsWith("#")) continue;
    else if (line.startsWith("? ")) step.status = Number(line.slice(2));
    else if (line.startsWith("! ") || line === "!") step.stderr.push(line.slice(2));
    else step.stdout.push(line);
  }
  return steps;
}

/** Lines as one pattern; blank lines at the end do not count. */
function patternOf(lines: readonly string[]): RegExp {
  const text = lines.join("\n").trimEnd();
  const parts = text.split(/\{…\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^\\n]*")}$`);
}

describe("transcripts", () => {
  let bin: string;

  beforeAll(async () => {
    const executable = await executablePath();
    bin = mkdtempSync(join(tmpdir(), "qf-scripts-"));
    for (const name of ["qf", "qufabric"]) symlinkSync(executable, join(bin, name));
  }, 120_000);
  afterAll(() => rmSync(bin, { recursive: true, force: true }));

  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".txt"))) {
    test(`the executable says what ${file} says`, () => {
      const home = mkdtempSync(join(tmpdir(), "qf-home-"));
      try {
        for (const step of parseScript(readFileSync(join(FOLDER, file), "utf8"))) {
          const run = Bun.spawnSync(["/bin/sh", "-c", step.command], {
            cwd: home,
            env: {
              HOME: home,
              PATH: `${bin}:/usr/bin:/bin`,
              LANG: "C.UTF-8",
              QF_AGENT_STATE_DIR: join(home, "no-agent"),
            },
            stdin: "ignore",
          });
          const { command } = step;
          expect({ command, stderr: run.stderr.toString().trimEnd() }).toEqual({
            command,
            stderr: expect.stringMatching(patternOf(step.stderr)),
          });
          expect({ command, stdout: run.stdout.toString().trimEnd() }).toEqual({
            command,
            stdout: expect.stringMatching(patternOf(step.stdout)),
          });
          expect({ command, status: run.exitCode }).toEqual({ command, status: step.status });
        }
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    }, 60_000);
  }
});
