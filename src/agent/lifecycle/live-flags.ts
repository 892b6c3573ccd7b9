/**
 * Flag changes on a running agent, one at a time. They take effect before they are stored.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { checkManagementUrl } from "../../client/management-url.ts";
import type { Move } from "../../log/move.ts";
import type { AgentFlagsStored, Enrolled } from "../../wire/agent-state-file.ts";
import { type FlagChange, liveFlags } from "../contracts/flags.ts";
import type { PinnedKeys } from "../control-link/pinned-keys.ts";
import { writeAgentFile } from "../state/state.ts";
import type { AgentParts } from "./agent-parts.ts";

export interface LiveFlagsOptions {
  readonly parts: Pick<AgentParts, "paths" | "spool">;
  readonly enrolled: Enrolled;
  readonly log: Log;
  /** Follows the pinned issuer. */
  readonly pinnedKeys: Pick<PinnedKeys, "follow">;
  /** Whether the agent is stopping or has a successor. */
  isOver(): boolean;
  /** Listens as `flags` say. */
  listen(flags: AgentFlagsStored, before: AgentFlagsStored): Promise<void>;
  /** Called when other flags take effect, even if they cannot be stored. */
  onUsed(): void;
  /** Called when flags are given that are set already: the users and groups that they name may be others. */
  onRepeated(flags: AgentFlagsStored): Promise<void>;
  /** Called after a change by this agent: ends what is no longer allowed. */
  onChanged(flags: AgentFlagsStored): void;
  /** Called when the flags are stored. */
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

  /** Uses flags that another agent has stored. */
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

  /**
   * Moves the machine to management's new address, on disk first. False: with a pinned provider the machine
   * does not move without root, and no machine moves to an unencrypted address.
   */
  followMove({ from, to, until_seconds }: Move): Promise<boolean> {
    const followed = this.#applying.then(async () => {
      const { parts, enrolled, isOver, log } = this.#options;
      if (isOver() || this.#flags.requireIdpBinding || !isUsableUrl(to)) return false;
      const flags = { ...this.#flags, managementUrl: to };
      const place = { ...enrolled, origin: to, movedFrom: { origin: from, untilSeconds: until_seconds } };
      const detail = `managementUrl=${JSON.stringify(to)}, moved from ${JSON.stringify(from)}`;
      await parts.spool.record({ type: "agent.state", what: "flags_changed", detail: detail.slice(0, 512) });
      await writeAgentFile(parts.paths, { format: 1, flags, enrolled: place });
      // All parts share this object, and read it when they sign or connect.
      Object.assign(enrolled, place);
      log.warn("management has moved, by the word of the audit log's key", { from, to });
      this.use(flags);
      await this.#options.onStored();
      return true;
    });
    this.#applying = followed.then(
      () => {},
      () => {},
    );
    return followed;
  }

  /** Resolves once no change is in progress. */
  async settled(): Promise<void> {
    await this.#applying;
  }

  #followPinned(): void {
    const { requireIdpBinding, pinIssuer } = this.#flags;
    this.#options.pinnedKeys.follow(requireIdpBinding ? pinIssuer : null);
  }

  async #apply(change: FlagChange): Promise<void> {
    const { parts, enrolled, isOver, listen, onChanged, onRepeated, onStored } = this.#options;
    if (isOver()) throw new QfError("ERR_UNAVAILABLE", "the agent is stopping");
    const { flags, changed } = liveFlags(change, this.#flags);
    if (changed.length === 0) return await onRepeated(flags);
    const detail = changed.map((key) => `${key}=${JSON.stringify(flags[key])}`).join(" ");
    await parts.spool.record({ type: "agent.state", what: "flags_changed", detail: detail.slice(0, 512) });
    await listen(flags, this.#flags);
    this.use(flags);
    onChanged(flags);
    await writeAgentFile(parts.paths, { format: 1, flags, enrolled });
    await onStored();
  }
}

function isUsableUrl(url: string): boolean {
  try {
    return checkManagementUrl(url) === url;
  } catch {
    return false;
  }
}
