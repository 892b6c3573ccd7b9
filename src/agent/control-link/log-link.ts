/**
 * The account's log on the control link: the batches that this machine signed, their proofs of inclusion, and
 * the checkpoints that management shows.
 *
 * @module
 */
import type { BatchJournal } from "../../audit/batch-journal.ts";
import type { Spool } from "../../audit/spool-contract.ts";
import type { Clock } from "../../base/clock.ts";
import type { Ed25519Key } from "../../base/ed25519.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import type { AgentMessage, ManagementMessage } from "../../wire/agent-sync.ts";
import type { ServedLog } from "../../wire/log-entry.ts";
import { EVENT_VERSION } from "../../wire/version.ts";
import type { AuditSigner } from "./audit-batches.ts";
import type { LogWitness } from "./log-witness.ts";
import { RestoredLog } from "./restored-log.ts";

export interface LogLinkDeps {
  readonly witness: LogWitness;
  readonly journal: BatchJournal;
  readonly spool: Spool;
  readonly deviceKey: Ed25519Key;
  readonly enrolled: Enrolled;
  readonly clock: Clock;
  send(message: AgentMessage): void;
}

export type LogMessage = Extract<ManagementMessage, { type: "log" | "log_proof" | "audit_resend" }>;

export class LogLink {
  readonly #deps: LogLinkDeps;
  readonly #restored: RestoredLog;
  /** Whether management keeps the log that is pinned here. */
  #isOn = false;

  constructor(deps: LogLinkDeps) {
    this.#deps = deps;
    this.#restored = new RestoredLog(deps.witness, deps.clock);
    // Once a log is pinned, this machine keeps its events even when management claims to keep no log.
    if (deps.witness.identity !== undefined) deps.spool.hold();
  }

  /** Takes the log that `welcome` names. Undefined: this management keeps no log. */
  async welcome(log: ServedLog | undefined): Promise<void> {
    this.#isOn = log !== undefined && (await this.#deps.witness.pin(log));
    if (this.#isOn) this.#deps.spool.hold();
  }

  /** Flags for a management that understands them. */
  flags(): { readonly log?: true } {
    return this.#isOn ? { log: true } : {};
  }

  /** Signs the uploads. Null: management does not keep the pinned log, or takes an older event version. */
  signer(eventVersion: number): AuditSigner | null {
    return this.#isOn && eventVersion >= EVENT_VERSION ? this.#deps : null;
  }

  ready(): void {
    if (!this.#isOn) return;
    this.#tell();
    this.#deps.witness.connect((from, to) => this.#deps.send({ type: "log_ask", from, to }));
  }

  end(): void {
    this.#isOn = false;
    this.#deps.witness.connect(null);
  }

  async beat(): Promise<void> {
    await this.#deps.witness.beat();
  }

  async take(message: LogMessage): Promise<void> {
    const { witness, spool } = this.#deps;
    if (!this.#isOn) return;
    switch (message.type) {
      case "log":
        if (message.log !== undefined && !(await witness.pin(message.log))) return;
        if (message.restored !== undefined) return this.#takeRestored(message);
        if (await witness.take(message)) await this.#taken(message);
        return this.#tell();
      case "log_proof": {
        const { size } = witness;
        if (await this.#restored.prove(message.from, message.to, message.proof)) return this.#tell();
        await witness.prove(message.from, message.to, message.proof);
        if (witness.size !== size) this.#tell(); // The next proof has to begin at the new size.
        return;
      }
      case "audit_resend":
        return spool.rewind(message.fromSeq);
    }
  }

  async #takeRestored(message: Extract<LogMessage, { type: "log" }>): Promise<void> {
    const { witness, send } = this.#deps;
    const { size } = witness;
    const asked = await this.#restored.take(message);
    if (asked !== null) send({ type: "log_ask", ...asked });
    else if (witness.size !== size) this.#tell();
  }

  async #taken({ batches, ownKey }: Extract<LogMessage, { type: "log" }>): Promise<void> {
    await this.#release(batches);
    if (ownKey === undefined) return;
    const { witness, enrolled, deviceKey } = this.#deps;
    await witness.checkOwnKey({ peerId: enrolled.peerId, deviceKey: deviceKey.publicKey }, ownKey);
  }

  /** Releases the batches that are proven to be in the log, up to the first unproven one. */
  async #release(batches: Extract<LogMessage, { type: "log" }>["batches"]): Promise<void> {
    const { witness, journal, spool } = this.#deps;
    let through = journal.provenThrough;
    for (const one of batches) {
      const batch = journal.after(through);
      if (batch === undefined || !witness.isProven(one, batch)) break;
      through = batch.last_seq;
    }
    if (through === journal.provenThrough) return;
    await spool.release(through);
    await journal.prove(through, spool.firstStored);
  }

  #tell(): void {
    const { witness, journal, send } = this.#deps;
    const { size, note } = witness;
    send({
      type: "log_at",
      size,
      provenThrough: journal.provenThrough,
      ...(note === undefined ? {} : { note }),
    });
  }
}
