/**
 * Audit events in pairs: whatever has begun has an event at its start and another at its end. Pure.
 *
 * @module
 */
import type { AgentEventBody, ForwardFailure } from "../../wire/audit-event.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { REFUSED_STATUS } from "./command.ts";

type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;

/** What is about to begin. Whose it is, and what for, is added by `evidence.ts`. */
export type StartEvent = Without<
  Extract<AgentEventBody, { type: "connection.open" | "session.start" | "forward.open" }>,
  "connectionId" | "userId" | "accessReason"
>;

export type EndEvent = Without<
  Extract<AgentEventBody, { type: "connection.close" | "session.end" | "forward.close" }>,
  "connectionId" | "userId"
>;

/** What the end of each kind of start says beside how long it lasted. */
export interface Outcomes {
  readonly "connection.open": Traffic & { readonly reason: ReasonCode | null };
  readonly "session.start": { readonly exitStatus: number | null; readonly signal: string | null };
  readonly "forward.open": Traffic & { readonly reason: ReasonCode | ForwardFailure | null };
}
/** From the client, and to it. */
interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export type Kind = keyof Outcomes;
export type StartOf<K extends Kind> = Extract<StartEvent, { type: K }>;

const NO_TRAFFIC: Traffic = { bytesIn: 0, bytesOut: 0 };

/**
 * The event that ends what `start` began. `endReason`: why the machine ends the connection, and so all of it.
 */
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

/** How something ends that was stored and then was not to begin. `reason`: null when its client had gone. */
export function unbegun<K extends Kind>(start: StartOf<K>, reason: ReasonCode | null): Outcomes[K] {
  const outcomes: Outcomes = {
    "connection.open": { ...NO_TRAFFIC, reason },
    "session.start": { exitStatus: REFUSED_STATUS, signal: null },
    "forward.open": { ...NO_TRAFFIC, reason },
  };
  return outcomes[start.type as K];
}

/** How something ends of which nobody knows the end: this agent stops, and it goes on. */
export function unended<K extends Kind>(start: StartOf<K>, reason: ReasonCode): Outcomes[K] {
  if (start.type === "session.start") return { exitStatus: null, signal: null } as Outcomes[K];
  return unbegun(start, reason);
}
