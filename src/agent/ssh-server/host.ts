/**
 * The connection as its sessions see it: judging and recording, bound to who is signed in.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import type { AgentEventBody } from "../../wire/audit-event.ts";
import type { World } from "../world.ts";
import { denied, judge, type Verdict } from "./judge.ts";
import type { SessionHost } from "./session-host.ts";

export function createHost(
  parts: Pick<
    SessionHost,
    | "connectionId"
    | "auth"
    | "origin"
    | "door"
    | "containment"
    | "onSessionClosed"
    | "agentSocket"
    | "takeNotices"
    | "monitor"
  > & {
    readonly world: World;
    /** Called with each refusal, before it is recorded. */
    onRefusal(): void;
  },
): SessionHost {
  const { world, auth, connectionId, origin, onRefusal, ...rest } = parts;
  const { who } = auth;
  const binding = who.kind === "user" ? who.binding : null;

  function decisionEvent(verdict: Verdict, receipt: string | null): AgentEventBody {
    return {
      type: "decision",
      connectionId,
      request: verdict.request,
      decision: verdict.record,
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

  async function stores(events: readonly AgentEventBody[]): Promise<boolean> {
    try {
      await Promise.all(events.map((event) => world.audit.record(withPerson(event))));
      return true;
    } catch (cause) {
      world.log.error("an event could not be recorded", { connectionId, type: events[0]?.type }, cause);
      return false;
    }
  }

  return {
    ...rest,
    connectionId,
    auth,
    origin,
    clock: world.clock,
    log: world.log,
    drop: world.machineFlags().privileged,
    judge: (action) => judge(world, auth, action),
    deny: (reason, action) =>
      denied(reason, {
        userId: who.kind === "user" ? who.userId : null,
        devicePeerId: who.kind === "user" ? who.devicePeerId : who.peerId,
        targetPeerId: world.snapshot()?.map.self.peerId ?? "0".repeat(20),
        localUser: auth.localUser,
        action,
        atSeconds: nowSeconds(world.clock),
      }),
    recordDecision(verdict, receipt) {
      onRefusal();
      return stores([decisionEvent(verdict, receipt)]);
    },
    recordStart: (verdict, event) => stores([decisionEvent(verdict, null), event]),
    recordMeanwhile: (event) => stores([event]),
    async recordEnd(event) {
      await stores([event]);
    },
  };
}
