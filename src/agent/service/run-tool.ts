/**
 * Runs tools of the system's service managers to their end, with fixed arguments.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";

const MS_MAX = 30_000;

/** Throws ERR_UNAVAILABLE with `hint` if the program fails, is missing, or takes longer than 30 s. */
export async function runTool(command: readonly string[], hint: string): Promise<void> {
  if (await tryTool(command)) return;
  throw new QfError("ERR_UNAVAILABLE", `${command.join(" ")} failed`, { hint });
}

/** Whether the program succeeded. */
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

/** The program's output. Null: it failed, is missing, or takes longer than `msMax`. */
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

/** Quotes `word` for a POSIX shell. */
export function shellWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
