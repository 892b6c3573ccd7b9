/**
 * Types of the permission kernel: a connection as `permit.ts` and `revoke.ts` see it, what clients want to do
 * on it, and the two answers under which nothing begins.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { Action, Grant } from "../../wire/decision.ts";
import type { NetworkMap } from "../../wire/network-map.ts";
import type { SshCapabilities } from "../../wire/policy.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Limits } from "../contracts/limits.ts";
import type { Containment } from "../os/containment.ts";
import type { Authorization } from "./authorize.ts";
import type { ConnectionState } from "./connection-state.ts";
import type { Evidence } from "./evidence.ts";

/** What the kernel needs of a connection. */
export interface PermitContext {
  readonly connectionId: string;
  readonly log: Log;
  readonly evidence: Evidence;
  /** Everything that has begun and whose end is not stored yet. */
  readonly running: Set<Running>;
  /** Decides `action` by the present map, flags and time. */
  authorize(action: Action): Authorization;
  /** A denial that does not come from policy. */
  deny(reason: ReasonCode, action: Action): Authorization;
  /** First wait before storing an end is retried. */
  readonly endRetryMs: number;
  /** Milliseconds of a monotonic clock. */
  nowMs(): number;
  /** The connection is ending or closed, so nothing may begin. */
  isOver(): boolean;
  /** Why the machine ends the connection. Null: it does not. */
  endReason(): ReasonCode | null;
  /** Called for each refusal, before it is recorded. */
  onRefusal(): void;
}

/** The part of the context that a refusal needs. */
export type RefusingContext = Pick<PermitContext, "connectionId" | "log" | "evidence" | "onRefusal">;

/** What a client wants to do, or is doing. */
export interface Use {
  readonly action: Action;
  /** A further action that must be allowed, by any rule. Absent: none. */
  readonly also?: Action | undefined;
  /**
   * Why a rule that allows `action` does not cover how it is done. Null: it does. Absent: every rule does.
   */
  refuse?(capabilities: SshCapabilities): ReasonCode | null;
}

export interface Wanted<Facts> extends Use {
  /** What the operating system says about it now, or why `grant` must not apply. */
  facts(grant: Grant): Promise<Facts | ReasonCode>;
  /** The requester is gone, for example its channel. Absent: it lasts as long as the connection. */
  isGone?(): boolean;
}

/** Something that runs: `recheck.ts` decides about it, and it must get a stored end. */
export interface Running {
  readonly wanted: Use;
  /** When it began, by the monotonic clock. */
  readonly sinceMs: number;
  /** Its end is being stored. */
  readonly hasEnded: boolean;
  /** Stores an end for something that still runs when the agent stops watching it. */
  abandon(reason: ReasonCode): Promise<void>;
}

/** A denial. It is in force even if it could not be stored. */
export interface Denial {
  readonly kind: "deny";
  readonly reason: ReasonCode;
  /** Identifies the stored denial. Null: it could not be stored. */
  readonly receipt: string | null;
  /** The sentence shown to the person, with the receipt. */
  readonly line: string;
}

/** The client is gone; there is nothing to begin. */
export interface Over {
  readonly kind: "over";
}

/** What a recheck needs of a connection. */
export interface RevocableContext extends Pick<PermitContext, "authorize" | "nowMs"> {
  readonly running: Iterable<Running>;
  rules(): NetworkMap["rules"];
  limits(): Pick<Limits, "idleMs" | "connectionMs">;
}

/** A connection as `revoke.ts` sees it. */
export interface Revocable {
  readonly id: string;
  readonly log: Log;
  readonly state: ConnectionState;
  readonly containment: Pick<Containment, "killAll">;
  /** Null: no client has been proven, so nothing runs. */
  readonly permits: RevocableContext | null;
  /** Time of the last data either way, by the monotonic clock. */
  readonly lastActivityMs: number;
  /** Set once the machine ends the connection. Null: not yet. */
  revoked: Promise<void> | null;
  /** Settles when the stream has closed. */
  readonly closed: Promise<void>;
  /** Shows `text` on every session and sends it with the disconnect. The transport is cut a moment later. */
  sayLast(text: string): void;
  /** Ends streams and listeners. Resolves when their sockets are gone. */
  closeForwards(): Promise<void>;
}
