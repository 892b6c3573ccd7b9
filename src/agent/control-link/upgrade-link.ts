/**
 * Orders of management to upgrade, and what it is told of them.
 *
 * An upgrade is a process of its own, since it outlives this agent; it writes what becomes of it into the
 * state folder (`agent/upgrade/ordered-upgrade.ts`). Whichever agent runs then tells it.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { AgentFlags, AgentMessage } from "../../wire/agent-sync.ts";
import type { UpgradeOrder, UpgradeReport } from "../../wire/upgrade-report.ts";

/** How often it is looked what has become of an order. */
const LOOK_MS = 1_000;

export interface UpgradeLinkOptions {
  readonly log: Log;
  /** Whether root allows it now. */
  isAllowed(): boolean;
  /** Starts the upgrade. Rejects where it cannot be started. */
  start(order: UpgradeOrder): Promise<void>;
  /** What became of the last order. Undefined: there was none. */
  read(): Promise<UpgradeReport | undefined>;
}

export class UpgradeLink {
  readonly #options: UpgradeLinkOptions;
  #send: ((message: AgentMessage) => void) | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isUnderstood = false;
  /** The order that was taken last by this agent. */
  #orderId = "";
  /** Set where it could not be started, since no upgrade runs then that would write so. */
  #unstarted: UpgradeReport | undefined;
  /** Something may yet become of it. */
  #isOpen = false;
  /** What was told last on this link. */
  #told = "";

  constructor(options: UpgradeLinkOptions) {
    this.#options = options;
  }

  /** Management's `welcome` has come. */
  welcome(isUnderstood: boolean): void {
    this.#isUnderstood = isUnderstood;
  }

  /** `flags` without what only a newer management is told, if this is none. */
  flagsFor({ managedUpgrades, ...flags }: AgentFlags): AgentFlags {
    return this.#isUnderstood && managedUpgrades === true ? { ...flags, managedUpgrades } : flags;
  }

  /** The link is up: what is known is told. */
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
    // It comes again until it is answered.
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

  /** A record that cannot be read is none: the next upgrade writes another. */
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

  /** It is of the order before, and the process of the last one has only just been started. */
  #isWaiting({ orderId }: UpgradeReport): boolean {
    return this.#orderId !== "" && orderId !== this.#orderId;
  }
}
