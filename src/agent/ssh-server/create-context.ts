/**
 * Makes the `ConnectionContext` of a connection: judging and recording, bound to who has signed in.
 *
 * @module
 */
import { newId } from "../../base/random.ts";
import { denialLine } from "../../policy/sentences.ts";
import type { AgentEventBody } from "../../wire/audit-event.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import { reasonOfAuditFailure } from "./audit-failure.ts";
import { type Authorization, authorize, denied, requestOf } from "./authorize.ts";
import type { ConnectionContext } from "./connection-context.ts";

export function createConnectionContext(
  parts: Pick<
    ConnectionContext,
    | "connectionId"
    | "auth"
    | "origin"
    | "transport"
    | "containment"
    | "onSessionClosed"
    | "agentSocket"
    | "takeNotices"
    | "monitor"
  > & {
    readonly serverContext: ServerContext;
    /** Called with each refusal, before it is recorded. */
    onRefusal(): void;
  },
): ConnectionContext {
  const { serverContext, auth, connectionId, origin, onRefusal, ...rest } = parts;
  const { who } = auth;
  const binding = who.kind === "user" ? who.binding : null;

  function decisionEvent(authorization: Authorization, receipt: string | null): AgentEventBody {
    return {
      type: "decision",
      connectionId,
      request: authorization.request,
      decision: authorization.record,
      receipt,
      binding,
      sourceAddress: origin.sourceAddress,
    };
  }

  /** Every event of a connection says whose it is. */
  function withPerson(event: AgentEventBody): AgentEventBody {
    const userId = who.kind === "user" ? who.userId : null;
    switch (event.type) {
      case "session.start":
      case "session.end":
      case "sftp.operations":
      case "forward.open":
      case "connection.close":
        return { ...event, userId };
      default:
        return event;
    }
  }

  /** Null: they are stored. */
  async function store(events: readonly AgentEventBody[]): Promise<ReasonCode | null> {
    try {
      await Promise.all(events.map((event) => serverContext.audit.record(withPerson(event))));
      return null;
    } catch (cause) {
      const reason = reasonOfAuditFailure(cause);
      if (reason === "audit_unavailable") {
        serverContext.log.error(
          "an event could not be recorded",
          { connectionId, type: events[0]?.type },
          cause,
        );
      }
      return reason;
    }
  }

  return {
    ...rest,
    connectionId,
    auth,
    origin,
    clock: serverContext.clock,
    log: serverContext.log,
    drop: serverContext.machineFlags().privileged,
    authorize: (action) => authorize(serverContext, auth, action),
    deny: (reason, action) => denied(reason, requestOf(serverContext, auth, action)),
    async recordRefusal(authorization) {
      onRefusal();
      const receipt = newId();
      const isStored = (await store([decisionEvent(authorization, receipt)])) === null;
      const reason = authorization.kind === "deny" ? authorization.reason : "peer_not_authorized";
      return denialLine(reason, isStored ? receipt : null);
    },
    recordStart: (authorization, event) => store([decisionEvent(authorization, null), event]),
    recordMeanwhile: async (event) => (await store([event])) === null,
    async recordEnd(event) {
      await store([event]);
    },
  };
}
