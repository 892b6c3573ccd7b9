/**
 * The shapes that the permission kernel works on: a connection as `permit.ts` and `revoke.ts` see it, what
 * people want to do under it, and the two answers that begin nothing.
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

/** What the kernel has to know of a connection. */
export interface PermitContext {
  readonly connectionId: string;
  readonly log: Log;
  readonly evidence: Evidence;
  /** Everything that has begun, until its end is stored. */
  readonly running: Set<Running>;
  /** The one question, answered by the map, flags and time of this moment. */
  authorize(action: Action): Authorization;
  /** A denial that policy had no part in. */
  deny(reason: ReasonCode, action: Action): Authorization;
  /** First wait before an end that could not be stored is tried again. */
  readonly endRetryMs: number;
  /** Milliseconds of a monotonic clock. */
  nowMs(): number;
  /** The connection is ending or closed: nothing begins any more. */
  isOver(): boolean;
  /** Why the machine ends the connection. Null: it does not. */
  endReason(): ReasonCode | null;
  /** Called with each refusal, before it is recorded. */
  onRefusal(): void;
}

/** What a refusal needs of it. */
export type RefusingContext = Pick<PermitContext, "connectionId" | "log" | "evidence" | "onRefusal">;

/** What a client wants to do, or does. */
export interface Use {
  readonly action: Action;
  /** Has to be allowed as well, by whatever rule. Absent: nothing. */
  readonly also?: Action | undefined;
  /** Why a rule that allows `action` is not enough for how it is done. Null: it is. Absent: any is. */
  refuse?(capabilities: SshCapabilities): ReasonCode | null;
}

export interface Wanted<Facts> extends Use {
  /** What the operating system says of it now, or why it must not be under `grant`. */
  facts(grant: Grant): Promise<Facts | ReasonCode>;
  /** What it was wanted for is gone. Absent: as long as the connection is there, it is. */
  isGone?(): boolean;
}

/** What `recheck.ts` decides about, and what has to have an end. */
export interface Running {
  readonly wanted: Use;
  /** Since when it runs, by the monotonic clock. */
  readonly sinceMs: number;
  /** Its end is being stored. */
  readonly hasEnded: boolean;
  /** Stores an end for what goes on without anybody to hear how it ends. */
  abandon(reason: ReasonCode): Promise<void>;
}

/** A no: stored, unless that failed, and in force in any case. */
export interface Denial {
  readonly kind: "deny";
  readonly reason: ReasonCode;
  /** Names the stored denial. Null: it could not be stored. */
  readonly receipt: string | null;
  /** The sentence for the person, with the receipt. */
  readonly line: string;
}

/** There is nobody left to begin anything for. */
export interface Over {
  readonly kind: "over";
}

/** What the machine has to know of a connection to decide about it again. */
export interface RevocableContext extends Pick<PermitContext, "authorize" | "nowMs"> {
  readonly running: Iterable<Running>;
  rules(): NetworkMap["rules"];
  limits(): Pick<Limits, "idleMs" | "connectionMs">;
}

/** A connection, as far as it can be ended. */
export interface Revocable {
  readonly id: string;
  readonly log: Log;
  readonly state: ConnectionState;
  readonly containment: Pick<Containment, "killAll">;
  /** Null: nobody has been proven, so nothing runs. */
  readonly permits: RevocableContext | null;
  /** When data went either way, by the monotonic clock. */
  readonly lastActivityMs: number;
  /** Its end by the machine. Null: not yet. */
  revoked: Promise<void> | null;
  /** Settles when its stream has closed. */
  readonly closed: Promise<void>;
  /** Shows `text` on every session and sends it with the disconnect; the transport is cut a moment later. */
  sayLast(text: string): void;
  /** Ends streams and listeners. Resolves when their sockets are gone. */
  closeForwards(): Promise<void>;
}
