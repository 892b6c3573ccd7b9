/**
 * Flags of a running agent: changed one after the other, in effect before they are on disk.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { AgentFlagsStored, Enrolled } from "../../wire/agent-state-file.ts";
import { type FlagChange, liveFlags } from "../contracts/flags.ts";
import type { PinnedKeys } from "../control-link/pinned-keys.ts";
import { writeAgentFile } from "../state/state.ts";
import type { AgentParts } from "./agent-parts.ts";

export interface LiveFlagsOptions {
  readonly parts: Pick<AgentParts, "paths" | "spool">;
  readonly enrolled: Enrolled;
  /** Follow the pinned issuer. */
  readonly pinnedKeys: Pick<PinnedKeys, "follow">;
  /** Whether the agent stops, or has a successor. */
  isOver(): boolean;
  /** Listens where `flags` say. */
  listen(flags: AgentFlagsStored, before: AgentFlagsStored): Promise<void>;
  /** Other flags are in effect. */
  onUsed(): void;
  /** They were changed here: what is no longer allowed ends now. */
  onChanged(flags: AgentFlagsStored): void;
  /** They are on disk. */
  onStored(): Promise<void>;
}

export class LiveFlags {
  readonly #options: LiveFlagsOptions;
  #flags: AgentFlagsStored;
  /** Settles after the last change. */
  #applying: Promise<void> = Promise.resolve();

  constructor(flags: AgentFlagsStored, options: LiveFlagsOptions) {
    this.#flags = flags;
    this.#options = options;
    this.#followPinned();
  }

  get now(): AgentFlagsStored {
    return this.#flags;
  }

  /** Of another agent, which has stored them. */
  use(flags: AgentFlagsStored): void {
    this.#flags = flags;
    this.#followPinned();
    this.#options.onUsed();
  }

  apply(change: FlagChange): Promise<void> {
    const applied = this.#applying.then(() => this.#apply(change));
    this.#applying = applied.catch(() => {});
    return applied;
  }

  /** Resolves once no change is under way. */
  async settled(): Promise<void> {
    await this.#applying;
  }

  #followPinned(): void {
    const { requireIdpBinding, pinIssuer } = this.#flags;
    this.#options.pinnedKeys.follow(requireIdpBinding ? pinIssuer : null);
  }

  async #apply(change: FlagChange): Promise<void> {
    const { parts, enrolled, isOver, listen, onChanged, onStored } = this.#options;
    if (isOver()) throw new QfError("ERR_UNAVAILABLE", "the agent is stopping");
    const { flags, changed } = liveFlags(change, this.#flags);
    if (changed.length === 0) return;
    const detail = changed.map((key) => `${key}=${JSON.stringify(flags[key])}`).join(" ");
    await parts.spool.record({ type: "agent.state", what: "flags_changed", detail: detail.slice(0, 512) });
    await listen(flags, this.#flags);
    this.use(flags);
    onChanged(flags);
    await writeAgentFile(parts.paths, { format: 1, flags, enrolled });
    await onStored();
  }
}
