import { resolve } from "node:path";
import { defaultStateDir } from "../../base/state-dir.ts";
import type { Environment } from "../contracts/flags.ts";

/** The state folder for a command: `--state-dir`, then QF_STATE_DIR, then the default. */
export function chooseStateDir(given: string | undefined, environment: Environment): string {
  const chosen = given ?? (environment.QF_STATE_DIR || undefined);
  return chosen === undefined ? defaultStateDir(process.geteuid?.() ?? 0, environment) : resolve(chosen);
}
