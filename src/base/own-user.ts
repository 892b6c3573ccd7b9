/**
 * The user this process runs as, from the account database.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/**
 * Name of user `uid`, by default this process's effective user; the number if it has no name. Bun's
 * `os.userInfo` takes the name from the environment, so this asks the system.
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
