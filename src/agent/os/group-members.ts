/**
 * Members of an OS group, for flags that name one.
 *
 * @module
 */
import { readLocalText } from "./local-text.ts";

/** Longest wait for a directory service. After it the group counts as empty. */
const GETENT_TIMEOUT_MS = 3_000;

/**
 * Accounts in group `name`: members listed in /etc/group, and accounts in /etc/passwd whose primary group it
 * is. getent(1) finds groups of a directory service. Null: no such group.
 */
export function groupMembers(name: string, etc = "/etc"): readonly string[] | null {
  const line = lineOf(readLocalText(`${etc}/group`), name) ?? (etc === "/etc" ? fromGetent(name) : null);
  const [, , gid, listed = ""] = line?.split(":") ?? [];
  if (gid === undefined) return null;
  const primary = readLocalText(`${etc}/passwd`)
    .split("\n")
    .map((entry) => entry.split(":"))
    .filter((fields) => fields[3] === gid)
    .map(([account = ""]) => account);
  return [...new Set([...listed.trim().split(","), ...primary])].filter((account) => account !== "");
}

function fromGetent(name: string): string | null {
  if (Bun.which("getent") === null) return null;
  const found = Bun.spawnSync(["getent", "group", "--", name], {
    stderr: "ignore",
    timeout: GETENT_TIMEOUT_MS,
  });
  return found.exitCode === 0 ? lineOf(found.stdout.toString(), name) : null;
}

function lineOf(text: string, name: string): string | null {
  return text.split("\n").find((line) => line.startsWith(`${name}:`)) ?? null;
}
