/**
 * Paired audit events: each start has an end. Pure.
 *
 * @module
 */
import type { AgentEventBody, ForwardFailure } from "../../wire/audit-event.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { REFUSED_STATUS } from "./command.ts";

type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;

/** What is about to begin. `evidence.ts` adds whose it is and the reason for access. */
export type StartEvent = Without<
  Extract<AgentEventBody, { type: "connection.open" | "session.start" | "forward.open" }>,
  "connectionId" | "userId" | "accessReason"
>;

export type EndEvent = Without<
  Extract<AgentEventBody, { type: "connection.close" | "session.end" | "forward.close" }>,
  "connectionId" | "userId"
>;

/** What the end event of each kind says besides its duration. */
export interface Outcomes {
  readonly "connection.open": Traffic & { readonly reason: ReasonCode | null };
  readonly "session.start": { readonly exitStatus: number | null; readonly signal: string | null };
  readonly "forward.open": Traffic & { readonly reason: ReasonCode | ForwardFailure | null };
}
/** Bytes from the client, and to it. */
interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export type Kind = keyof Outcomes;
export type StartOf<K extends Kind> = Extract<StartEvent, { type: K }>;

const NO_TRAFFIC: Traffic = { bytesIn: 0, bytesOut: 0 };

/** The event that ends `start`. `endReason`: why the machine ends the whole connection. */
export function endEvent<K extends Kind>(
  start: StartOf<K>,
  outcome: Outcomes[K],
  durationMs: number,
  endReason: ReasonCode | null = null,
): EndEvent {
  const begun: StartEvent = start;
  switch (begun.type) {
    case "connection.open": {
      const { bytesIn, bytesOut, reason } = outcome as Outcomes["connection.open"];
      return { type: "connection.close", bytesIn, bytesOut, durationMs, reason: reason ?? endReason };
    }
    case "session.start": {
      const { exitStatus, signal } = outcome as Outcomes["session.start"];
      return { type: "session.end", sessionId: begun.sessionId, exitStatus, signal, durationMs };
    }
    case "forward.open": {
      const { kind, destination, forwardId = 0 } = begun;
      const { bytesIn, bytesOut, reason } = outcome as Outcomes["forward.open"];
      const what = { kind, destination, forwardId, bytesIn, bytesOut, durationMs };
      return { type: "forward.close", ...what, reason: reason ?? endReason };
    }
  }
}

/** Outcome of a start that was stored but never began. `reason` is null if the client had left. */
export function unbegun<K extends Kind>(start: StartOf<K>, reason: ReasonCode | null): Outcomes[K] {
  const outcomes: Outcomes = {
    "connection.open": { ...NO_TRAFFIC, reason },
    "session.start": { exitStatus: REFUSED_STATUS, signal: null },
    "forward.open": { ...NO_TRAFFIC, reason },
  };
  return outcomes[start.type as K];
}

/** Outcome of something that still runs when the agent stops, so that its end stays unknown. */
export function unended<K extends Kind>(start: StartOf<K>, reason: ReasonCode): Outcomes[K] {
  if (start.type === "session.start") return { exitStatus: null, signal: null } as Outcomes[K];
  return unbegun(start, reason);
}
