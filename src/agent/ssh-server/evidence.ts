/**
 * Audit events of one connection. Each says whose it is, and is stored before what it permits.
 *
 * @module
 */
import type { AuditSink } from "../../audit/sink.ts";
import type { Log } from "../../base/log.ts";
import type { AccessReason } from "../../wire/access-reason.ts";
import type { AgentEventBody } from "../../wire/audit-event.ts";
import type { Binding } from "../../wire/certificate.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { UserId } from "../../wire/units.ts";
import { reasonOfAuditFailure } from "./audit-failure.ts";
import type { Authorization } from "./authorize.ts";
import type { EndEvent, StartEvent } from "./paired-events.ts";

/** A decision, stored alone or together with a start. */
type Decided = Extract<AgentEventBody, { type: "decision" }>;
/** An event during a session that has begun. */
export type MeanwhileEvent = WithoutWhose<
  Extract<AgentEventBody, { type: "sftp.operations" | `recording.${string}` }>
>;
type WithoutWhose<T> = T extends unknown ? Omit<T, "connectionId" | "userId"> : never;
type OwnEvent = StartEvent | EndEvent | MeanwhileEvent;

/** Longest wait between attempts to store an end. */
const END_RETRY_MS_MAX = 60_000;

export interface Whose {
  readonly connectionId: string;
  readonly sourceAddress: string;
  /** Null: a machine, or a person whom the map does not contain. */
  readonly userId: UserId | null;
  /** How the person was proven. Null: machine identity, or a proof that was not accepted. */
  readonly binding: Binding | null;
  /** The login key signed its own certificate while management was away. Absent: it did not. */
  readonly offline?: true;
  /** The person's stated reason for access. Absent: none. */
  readonly accessReason?: AccessReason;
}

export class Evidence {
  readonly #to: { readonly audit: AuditSink; readonly log: Log };
  readonly #whose: Whose;

  constructor(to: { readonly audit: AuditSink; readonly log: Log }, whose: Whose) {
    this.#to = to;
    this.#whose = whose;
  }

  /** `receipt` is shown to the person with a denial. Null with an allow. */
  decision(authorization: Authorization, receipt: string | null): Decided {
    const { connectionId, sourceAddress, binding, offline } = this.#whose;
    return {
      type: "decision",
      connectionId,
      request: authorization.request,
      decision: authorization.record,
      receipt,
      binding,
      ...(offline === undefined ? {} : { offline }),
      sourceAddress,
    };
  }

  /**
   * Stores `events` in order, with one wait for the disk. Null: stored. Otherwise the reason they are not.
   */
  async store(...events: readonly (Decided | OwnEvent)[]): Promise<ReasonCode | null> {
    try {
      await Promise.all(events.map((event) => this.#to.audit.record(this.#whole(event))));
      return null;
    } catch (cause) {
      const reason = reasonOfAuditFailure(cause);
      if (reason === "audit_unavailable") {
        const { connectionId } = this.#whose;
        this.#to.log.error(
          "an event could not be recorded",
          { connectionId, type: events[0]?.type ?? null },
          cause,
        );
      }
      return reason;
    }
  }

  /** Stores an end, retries until it is stored, then calls `onStored`. Resolves after the first attempt. */
  async storeWithRetries(event: EndEvent, waitMs: number, onStored: () => void): Promise<void> {
    if ((await this.store(event)) === null) return onStored();
    const longerMs = Math.min(2 * waitMs, END_RETRY_MS_MAX);
    setTimeout(() => void this.storeWithRetries(event, longerMs, onStored), waitMs).unref();
  }

  #whole(event: Decided | OwnEvent): AgentEventBody {
    if (event.type === "decision") return event;
    const { connectionId, userId, accessReason } = this.#whose;
    const isFor = event.type === "connection.open" || event.type === "session.start";
    const reason = isFor && accessReason !== undefined ? { accessReason } : {};
    return { ...event, connectionId, userId, ...reason };
  }
}
