/**
 * An upgrade ordered by management. It records its progress in the state folder, and is rolled back if the
 * new agent does not reach management.
 *
 * @module
 */
import { systemClock } from "../../base/clock.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import { writeJsonAtomic } from "../../base/files.ts";
import type { UpgradeReport } from "../../wire/upgrade-report.ts";
import { askStatus } from "../control-socket/control-client.ts";
import { statePaths } from "../state/state.ts";
import { type UpgradeOptions, upgrade } from "./upgrade.ts";

/** How long management may take to accept the new agent. */
const LINK_MS_MAX = 120_000;
const POLL_MS = 200;

export interface OrderedUpgradeOptions extends Omit<UpgradeOptions, "allowDowngrade" | "version"> {
  readonly version: string;
  readonly orderId: string;
  /** Status of the running agent. Absent: asks the control socket; tests replace it. */
  readonly status?: () => Promise<LinkedAgent | undefined>;
  readonly sleep?: (ms: number) => Promise<void>;
}

export interface LinkedAgent {
  readonly version: string;
  readonly management: { readonly connected: boolean };
}

/** Runs `upgrade`, which never goes below the highest version that ran here. Throws what `upgrade` throws. */
export async function orderedUpgrade(options: OrderedUpgradeOptions): Promise<string> {
  const say = (state: UpgradeReport["state"], detail = "") => recordOrder(options, { state, detail });
  let isBack = false;
  await say("working");
  try {
    const version = await upgrade({
      ...options,
      allowDowngrade: false,
      restart: async () => {
        // The second restart is that of the old version, which only has to come up.
        if (isBack) return await options.restart();
        isBack = true;
        await say("restarting");
        await options.restart();
        await untilLinked(options);
      },
    });
    await say("done");
    return version;
  } catch (error) {
    await say("failed", textOf(error));
    throw error;
  }
}

/** Records the progress of order `orderId` for the running agent. */
export async function recordOrder(
  { stateDir, orderId }: Pick<OrderedUpgradeOptions, "stateDir" | "orderId">,
  { state, detail }: Pick<UpgradeReport, "state" | "detail">,
): Promise<void> {
  const record = { format: 1, orderId, state, detail: detail.slice(0, 512) };
  await writeJsonAtomic(statePaths(stateDir).upgrade, record, 0o600);
}

/** Text of a failure. A QfError's message is safe to show to anyone. */
export function textOf(error: unknown): string {
  if (!isQfError(error)) return "the upgrade could not be done";
  return error.hint === undefined ? error.message : `${error.message}: ${error.hint}`;
}

async function untilLinked(options: OrderedUpgradeOptions): Promise<void> {
  const { stateDir, version, clock = systemClock, sleep = Bun.sleep } = options;
  const status = options.status ?? (() => askStatus(stateDir));
  const endMs = clock.monotonicMs() + LINK_MS_MAX;
  while (clock.monotonicMs() < endMs) {
    const now = await status().catch(() => undefined);
    if (now?.version === version && now.management.connected) return;
    await sleep(POLL_MS);
  }
  throw new QfError("ERR_UNAVAILABLE", `the agent of ${version} does not reach management`);
}
