/**
 * The user this process runs as, by the account database.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/**
 * Name of user `uid`, by default the effective user of this process; the number where it has none. Asked of
 * the system, since `os.userInfo` of Bun takes it from the environment.
 */
export function ownUserName(uid: number = process.geteuid?.() ?? 0): string {
  const entries = readPasswd().split("\n");
  const entry = entries.map((line) => line.split(":")).find((fields) => fields[2] === String(uid));
  if (entry?.[0]) return entry[0];
  const result = Bun.spawnSync(["id", "-un"], { stderr: "ignore", timeout: 3_000 });
  return result.exitCode === 0 ? result.stdout.toString().trim() : String(uid);
}

function readPasswd(): string {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch {
    return "";
  }
}
