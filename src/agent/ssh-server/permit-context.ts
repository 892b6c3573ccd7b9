/**
 * The context in which the kernel decides for one connection: subject, path and evidence.
 *
 * @module
 */
import { nowSeconds as nowSecondsOf } from "../../base/clock.ts";
import { denialOfNetwork } from "../../policy/decide/network-rules.ts";
import { SSH_PORT } from "../../wire/ports.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { UserId } from "../../wire/units.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import type { StreamOrigin } from "../contracts/stream-origin.ts";
import { authorize, denied, requestOf, type Subject, type Who } from "./authorize.ts";
import type { ConnectionState } from "./connection-state.ts";
import { Evidence, type Whose } from "./evidence.ts";
import type { PermitContext, RevocableContext, Running } from "./permission.ts";

/** The context of a connection whose client has been proven. */
export type ConnectionPermits = PermitContext & RevocableContext;

export interface PermitContextParts {
  readonly serverContext: ServerContext;
  readonly connectionId: string;
  readonly origin: StreamOrigin;
  readonly state: ConnectionState;
  onRefusal(): void;
}

/** Short, because a full share of the spool may have room again at once. */
const END_RETRY_MS = 250;

/** Builds the context of `subject`, who may do nothing until `permit` says so. */
export function createPermitContext(
  { serverContext, connectionId, origin, state, onRefusal }: PermitContextParts,
  subject: Subject,
): ConnectionPermits {
  const { log } = serverContext;
  const deny: PermitContext["deny"] = (reason, action) =>
    denied(reason, requestOf(serverContext, subject, action));
  return {
    connectionId,
    log,
    evidence: evidenceOf(serverContext, { connectionId, origin, who: subject.who }),
    running: new Set<Running>(),
    authorize: (action) => {
      const reason = denialOfOrigin(serverContext, origin);
      return reason === null ? authorize(serverContext, subject, action) : deny(reason, action);
    },
    deny,
    endRetryMs: END_RETRY_MS,
    nowMs: () => serverContext.clock.monotonicMs(),
    isOver: () => state.isOver,
    endReason: () => state.endReason,
    onRefusal,
    rules: () => serverContext.snapshot()?.map.rules ?? {},
    limits: () => serverContext.limits(),
  };
}

/** A denial that follows from how the connection came in, whoever signed in on it. */
function denialOfOrigin(serverContext: ServerContext, { path, via }: StreamOrigin): ReasonCode | null {
  // Turning off the listener for clients without a hello ends their connections too.
  if (path === "plain" && !serverContext.takesPlain()) return "plain_ssh_disabled";
  const snapshot = serverContext.snapshot();
  // Without a map everything is denied anyway, with its own reason.
  if (via === undefined || snapshot === null) return null;
  const nowSeconds = nowSecondsOf(serverContext.clock);
  return denialOfNetwork({ sourcePeerId: via.peerId, port: SSH_PORT, nowSeconds }, snapshot);
}

/** `who`: the proven identity, or the one named by a proof that was not accepted. */
export function evidenceOf(
  to: Pick<ServerContext, "audit" | "log">,
  {
    connectionId,
    origin: { sourceAddress },
    who,
  }: {
    readonly connectionId: string;
    readonly origin: StreamOrigin;
    readonly who: Who | { readonly kind: "unaccepted"; readonly userId: UserId | null };
  },
): Evidence {
  const whose: Whose = {
    connectionId,
    sourceAddress,
    userId: who.kind === "peer" ? null : who.userId,
    binding: who.kind === "user" ? who.binding : null,
    ...(who.kind === "user" && who.offline === true ? { offline: true } : {}),
    ...(who.kind === "user" && who.accessReason !== undefined ? { accessReason: who.accessReason } : {}),
  };
  return new Evidence(to, whose);
}
