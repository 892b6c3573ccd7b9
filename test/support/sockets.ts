/** Whose sockets there are, as /proc/net/tcp and tcp6 say. */
import { readFileSync } from "node:fs";

/**
 * Uids of the TCP sockets with `port` at that end; `state` narrows them: 01 connected, 0A listening. IPv4,
 * unless `table` is tcp6.
 */
export function socketUids(
  end: "local" | "remote",
  port: number,
  state?: "01" | "0A",
  table: "tcp" | "tcp6" = "tcp",
): number[] {
  const lines = readFileSync(`/proc/net/${table}`, "utf8").trim().split("\n").slice(1);
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return lines.flatMap((line) => {
    const [, local = "", remote = "", st, , , , uid] = line.trim().split(/\s+/);
    const isOurs = (end === "local" ? local : remote).endsWith(`:${hex}`);
    const isOpen = st === "01" || st === "0A";
    return isOurs && isOpen && (state === undefined || st === state) ? [Number(uid)] : [];
  });
}
