/**
 * The last line on the screen of an ended connection.
 *
 * @module
 */
import type { Ending } from "./terminal-session.ts";

const WHEN = { dateStyle: "medium", timeStyle: "long" } as const;
const AGAIN =
  "What ran here has ended, unless it runs in tmux or screen. Press Enter for a new shell below this line.";

export function lastWords({ message, isLost }: Pick<Ending, "message" | "isLost">, at: Date): string {
  const line = `${new Intl.DateTimeFormat(undefined, WHEN).format(at)}: ${message}`;
  return isLost ? `${line}\n${AGAIN}` : line;
}
