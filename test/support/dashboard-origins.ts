/** Where a dashboard can be: on one origin with the pages that sign people in, and on one of its own. */
import type { Lab } from "./lab.ts";

/** What it is called in a title, and the arguments of `qf management serve` for it. */
export const DASHBOARD_ORIGINS = [
  ["beside them", () => []],
  ["on an origin of its own", (url: string) => ["--dashboard-url", url.replace("127.0.0.1", "localhost")]],
] as const satisfies readonly (readonly [string, (url: string) => readonly string[]])[];

/** Starts management anew with those arguments. Returns the dashboard's origin. */
export async function moveDashboard(lab: Lab, args: readonly string[]): Promise<string> {
  const own = args[1];
  if (own === undefined) return lab.url;
  await lab.management?.stop();
  await lab.serveManagement(args);
  return own;
}
