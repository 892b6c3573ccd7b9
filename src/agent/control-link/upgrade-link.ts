/**
 * Takes management's orders to upgrade, and reports their progress.
 *
 * An upgrade runs as a separate process, since it outlives this agent. It records its progress in the state
 * folder (`agent/upgrade/ordered-upgrade.ts`), and the agent that is running then reports it.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { AgentFlags, AgentMessage } from "../../wire/agent-sync.ts";
import type { UpgradeOrder, UpgradeReport } from "../../wire/upgrade-report.ts";

/** How often the progress of an order is read. */
const LOOK_MS = 1_000;

export interface UpgradeLinkOptions {
  readonly log: Log;
  /** Whether root allows managed upgrades now. */
  isAllowed(): boolean;
  /** Starts the upgrade. Rejects where it cannot be started. */
  start(order: UpgradeOrder): Promise<void>;
  /** The progress of the last order. Undefined: there was none. */
  read(): Promise<UpgradeReport | undefined>;
}

export class UpgradeLink {
  readonly #options: UpgradeLinkOptions;
  #send: ((message: AgentMessage) => void) | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isUnderstood = false;
  /** The last order that this agent took. */
  #orderId = "";
  /** Set when the upgrade could not be started: no upgrade process records the failure then. */
  #unstarted: UpgradeReport | undefined;
  /** The last order may still make progress. */
  #isOpen = false;
  /** The last report on this link. */
  #told = "";

  constructor(options: UpgradeLinkOptions) {
    this.#options = options;
  }

  /** Takes what `welcome` says: whether management understands upgrades. */
  welcome(isUnderstood: boolean): void {
    this.#isUnderstood = isUnderstood;
  }

  /** `flags`, without those that this management does not understand. */
  flagsFor({ managedUpgrades, ...flags }: AgentFlags): AgentFlags {
    return this.#isUnderstood && managedUpgrades === true ? { ...flags, managedUpgrades } : flags;
  }

  /** The link is up: reports what is known. */
  attach(send: (message: AgentMessage) => void): void {
    if (!this.#isUnderstood) return;
    this.#send = send;
    void this.#tell();
    this.#timer = setInterval(() => void (this.#isOpen && this.#tell()), LOOK_MS);
  }

  detach(): void {
    clearInterval(this.#timer);
    this.#send = null;
    this.#told = "";
  }

  async take({ orderId, version }: UpgradeOrder): Promise<void> {
    const { log, isAllowed, start } = this.#options;
    if (!isAllowed()) {
      const detail = "root of this machine does not allow it (--allow-managed-upgrades)";
      this.#send?.({ type: "upgrade_state", orderId, state: "refused", detail });
      return;
    }
    // Management repeats an order until it is answered.
    if (orderId === this.#orderId || (await this.#read())?.orderId === orderId) {
      this.#told = "";
      return await this.#tell();
    }
    this.#orderId = orderId;
    this.#isOpen = true;
    this.#unstarted = undefined;
    log.info("management orders an upgrade", { version });
    try {
      await start({ orderId, version });
    } catch (cause) {
      log.error("the upgrade could not be started", { version }, cause);
      this.#unstarted = { orderId, state: "failed", detail: "the upgrade could not be started" };
      await this.#tell();
    }
  }

  /** An unreadable record counts as none: the next upgrade writes another. */
  async #read(): Promise<UpgradeReport | undefined> {
    return this.#unstarted ?? (await this.#options.read().catch(() => undefined));
  }

  async #tell(): Promise<void> {
    const report = await this.#read();
    if (report === undefined || this.#send === null) return;
    const text = JSON.stringify(report);
    if (text === this.#told) return;
    this.#told = text;
    this.#isOpen = report.state === "working" || report.state === "restarting" || this.#isWaiting(report);
    const { orderId, state, detail } = report;
    this.#send({ type: "upgrade_state", orderId, state, detail });
  }

  /**
   * Whether the record is still that of the previous order: the process of the last one has only just
   * started.
   */
  #isWaiting({ orderId }: UpgradeReport): boolean {
    return this.#orderId !== "" && orderId !== this.#orderId;
  }
}
