/**
 * What `make bench`, `make soak` and `make demo` are made of leaves nothing behind when it is interrupted.
 */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { processesOn } from "../support/interrupt.ts";
import { isRoot } from "../support/os-accounts.ts";

const MAIN = resolve(import.meta.dir, "../support/interrupt-main.ts");

test.skipIf(!isRoot).each([
  { when: "while an agent comes up", lines: 1, signal: "SIGTERM", status: 143 },
  { when: "when all is up", lines: 2, signal: "SIGINT", status: 130 },
] as const)(
  "no account, process or folder is left after an interrupt $when",
  async ({ lines, signal, status }) => {
    const child = Bun.spawn([process.execPath, MAIN], { stdout: "pipe", stderr: "inherit" });
    const decoder = new TextDecoder();
    let text = "";
    for await (const data of child.stdout) {
      text += decoder.decode(data, { stream: true });
      if (text.split("\n").length > lines) break;
    }
    const made = JSON.parse(text.split("\n")[0] ?? "") as { account: string; root: string };
    child.kill(signal);
    expect(await child.exited).toBe(status);
    expect(Bun.spawnSync(["id", made.account], { stderr: "ignore" }).exitCode).toBe(1);
    expect(processesOn(made.root)).toEqual([]);
    expect(existsSync(made.root)).toBe(false);
  },
  90_000,
);
