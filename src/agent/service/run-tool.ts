/**
 * Programs of the system's service managers, run to their end with our own words.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";

const MS_MAX = 30_000;

/** Throws ERR_UNAVAILABLE with `hint` when the program fails, is not there, or takes longer than 30 s. */
export async function runTool(command: readonly string[], hint: string): Promise<void> {
  if (await tryTool(command)) return;
  throw new QfError("ERR_UNAVAILABLE", `${command.join(" ")} failed`, { hint });
}

/** Whether it ended well. */
export async function tryTool(command: readonly string[]): Promise<boolean> {
  try {
    const child = Bun.spawn([...command], {
      env: process.env,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      timeout: MS_MAX,
    });
    return (await child.exited) === 0;
  } catch {
    return false;
  }
}

/** What the program prints. Null: it failed, is not there, or takes longer than `msMax`. */
export async function readTool(command: readonly string[], msMax = 5_000): Promise<string | null> {
  try {
    const child = Bun.spawn([...command], {
      env: process.env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: msMax,
    });
    const text = await new Response(child.stdout).text();
    return (await child.exited) === 0 ? text : null;
  } catch {
    return null;
  }
}

/** `word` for a POSIX shell: one word, whatever is in it. */
export function shellWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
