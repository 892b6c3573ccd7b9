/**
 * The control socket's view of a running agent.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import type { FlagChange } from "../contracts/flags.ts";
import { lookUpAccount } from "../os/users.ts";
import type { Agent, AgentParts } from "./agent-parts.ts";

export function controlledOf(
  agent: Pick<Agent, "status" | "apply" | "stop" | "succession">,
  enrolled: Enrolled,
  { clock, keys, log }: Pick<AgentParts, "clock" | "keys"> & { readonly log: Log },
) {
  return {
    clock,
    log,
    deviceKey: keys.deviceKey,
    enrolled: () => enrolled,
    status: () => agent.status(),
    apply: (change: FlagChange) => agent.apply(change),
    down: () => void agent.stop(),
    expectSuccessor: () => agent.succession.expect(),
    pids: () => [process.pid, ...agent.succession.pids],
    uidOf: async (localUser: string) => (await lookUpAccount(localUser, nowSeconds(clock)))?.uid ?? null,
  };
}
