import { resolve } from "node:path";
import { defaultStateDir } from "../../base/state-dir.ts";
import type { Environment } from "../contracts/flags.ts";

/** The state folder that a command means: `--state-dir`, QF_STATE_DIR, the usual one. */
export function chooseStateDir(given: string | undefined, environment: Environment): string {
  const chosen = given ?? (environment.QF_STATE_DIR || undefined);
  return chosen === undefined ? defaultStateDir(process.geteuid?.() ?? 0, environment) : resolve(chosen);
}
