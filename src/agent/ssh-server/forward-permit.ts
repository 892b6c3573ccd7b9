/**
 * Permits of forwards. Each stream and each listener has one, which also records how it ended.
 *
 * @module
 */
import type { AgentEventBody, ForwardFailure } from "../../wire/audit-event.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { ForwardHelperError } from "../os/forward-helper-error.ts";
import type { LocalAccount } from "../os/users.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { currentAccount } from "./current-account.ts";
import {
  describeForward,
  type ForwardAction,
  literalAddress,
  type RemoteAction,
  reachableAddresses,
} from "./destination.ts";
import type { Denial, Over } from "./permission.ts";
import { NO_FACTS, type Permit, permit } from "./permit.ts";

/** sshd's wording, shown after "open failed: connect failed: ". */
export const FAILURE_TEXT: Readonly<Record<ForwardFailure, string>> = {
  unknown_host: "Name or service not known",
  refused: "Connection refused",
  timeout: "Connection timed out",
  unreachable: "No route to host",
  not_found: "No such file or directory",
  permission: "Permission denied",
  in_use: "Address already in use",
  address_not_here: "Cannot assign requested address",
  failed: "the connection could not be made",
};

type Kind = Extract<AgentEventBody, { type: "forward.open" }>["kind"];

/** Names in audit events. */
const KINDS: Readonly<Record<ForwardAction["kind"], Kind>> = {
  local_forward: "local",
  remote_forward: "remote",
  local_socket: "local_socket",
  remote_socket: "remote_socket",
  agent_forwarding: "agent",
};

type RemoteForward = RemoteAction & { readonly kind: "remote_forward" };

/** `Facts`: the account that opens the socket, where one does. */
export type ForwardPermit<Facts = object> = Permit<"forward.open", Facts>;

/** Carries a denial, or the end of the connection, to the code that answers the client. */
export class Refused extends Error {
  readonly answer: Denial | Over;

  constructor(answer: Denial | Over) {
    super("refused");
    this.answer = answer;
  }

  /** Shown to the person. Empty when the connection has ended. */
  get sentence(): string {
    return this.answer.kind === "deny" ? this.answer.line : "";
  }
}

/** Numbers the forwards of one connection and requests their permits. */
export class ForwardPermits {
  readonly #context: Pick<ConnectionContext, "auth" | "clock" | "permits">;
  #count = 0;

  constructor(context: Pick<ConnectionContext, "auth" | "clock" | "permits">) {
    this.#context = context;
  }

  /** `wish`, or the loopback if only that is granted. sshd too binds nothing more by default. */
  bindOf(wish: RemoteForward): RemoteForward {
    const { permits } = this.#context;
    const loopback = { ...wish, host: "localhost" };
    const isNarrowed =
      permits.authorize(wish).kind === "deny" && permits.authorize(loopback).kind === "allow";
    return isNarrowed ? loopback : wish;
  }

  /** Permits what the local user opens, with its account as it is now. Throws Refused. */
  forAccount(action: ForwardAction): Promise<ForwardPermit<{ readonly account: LocalAccount }>> {
    return this.#permit(action, async () => {
      if (isUnreachable(action)) return "forward_destination_not_allowed";
      const account = await currentAccount(this.#context);
      return typeof account === "string" ? account : { account };
    });
  }

  /** Permits a connection to a listener that is already open. Throws Refused. */
  forAccepted(action: ForwardAction): Promise<ForwardPermit> {
    return this.#permit(action, NO_FACTS);
  }

  async #permit<Facts extends object>(
    action: ForwardAction,
    facts: () => Promise<Facts | ReasonCode>,
  ): Promise<ForwardPermit<Facts>> {
    const { target } = describeForward(action);
    const answer = await permit<"forward.open", Facts>(this.#context.permits, { action, facts }, () => ({
      ...{ type: "forward.open", kind: KINDS[action.kind], destination: target },
      forwardId: this.#count++,
    }));
    if (answer.kind !== "permit") throw new Refused(answer);
    return answer;
  }
}

/** Tells the person that their listener was narrowed to the loopback. */
export function narrowedLine(asked: ForwardAction, got: ForwardAction): string {
  const [wish, bound] = [describeForward(asked).target, describeForward(got).target];
  return `-R ${wish}: listens on ${bound} only (the policy names no more)`;
}

/** Ends a permit that moved no bytes. `cause`: why. Absent: it ended normally. */
export function endForward(ended: Pick<ForwardPermit, "end">, cause?: unknown): Promise<void> {
  return ended.end({ bytesIn: 0, bytesOut: 0, reason: cause === undefined ? null : reasonOf(cause) });
}

/** As recorded in audit. */
function reasonOf(cause: unknown): ReasonCode | ForwardFailure {
  if (cause instanceof ForwardHelperError) return cause.failure;
  if (cause instanceof Refused && cause.answer.kind === "deny") return cause.answer.reason;
  return "failed";
}

/** True for a literal address that this notation may not reach. A name is resolved under the permit. */
function isUnreachable(action: ForwardAction): boolean {
  if (action.kind !== "local_forward") return false;
  const literal = literalAddress(action.host);
  return literal !== null && reachableAddresses(action.host, [literal]).length === 0;
}
