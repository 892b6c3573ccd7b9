/**
 * Steps that every forward passes before it begins: the decision, and the record that it begins.
 *
 * @module
 */
import type { ForwardFailure } from "../../wire/audit-event.ts";
import type { LocalAccount } from "../os/users.ts";
import type { Authorization } from "./authorize.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { currentAccount } from "./current-account.ts";
import { describeForward, type ForwardAction, type RemoteAction } from "./destination.ts";

/** As sshd words them, after "open failed: connect failed: ". */
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

/** As audit calls them. */
const KINDS = {
  local_forward: "local",
  remote_forward: "remote",
  local_socket: "local_socket",
  remote_socket: "remote_socket",
  agent_forwarding: "agent",
} as const;

type RemoteForward = RemoteAction & { readonly kind: "remote_forward" };

/** For the person who asked for more addresses than the loopback, and got it alone. */
export function narrowedLine(asked: ForwardAction, action: ForwardAction): string {
  const got = describeForward(action).target;
  return `-R ${describeForward(asked).target}: listens on ${got} only (the policy names no more)`;
}

/** A denial on its way to whoever answers. */
export class Refused extends Error {
  readonly authorization: Authorization;

  constructor(authorization: Authorization) {
    super("refused");
    this.authorization = authorization;
  }
}

export interface ForwardGate {
  /** `wish`, or the loopback where that is all that is granted: as sshd, which never binds more by itself. */
  bindOf(wish: RemoteForward): RemoteForward;
  /** Throws Refused unless `action` is allowed at this moment. */
  ask(action: ForwardAction): Authorization;
  /** The account as it is now: it may have been locked since the sign-in. Throws Refused. */
  account(action: ForwardAction): Promise<LocalAccount>;
  /** Stores that it begins, and asks again: much may have changed meanwhile. Throws Refused. */
  record(action: ForwardAction): Promise<void>;
}

export function createForwardGate(context: ConnectionContext): ForwardGate {
  function ask(action: ForwardAction): Authorization {
    const authorization = context.authorize(action);
    if (authorization.kind === "deny") throw new Refused(authorization);
    return authorization;
  }

  return {
    ask,
    bindOf(wish) {
      if (context.authorize(wish).kind === "allow") return wish;
      const loopback = { ...wish, host: "localhost" };
      return context.authorize(loopback).kind === "allow" ? loopback : wish;
    },
    async account(action) {
      const account = await currentAccount(context);
      if (typeof account === "string") throw new Refused(context.deny(account, action));
      return account;
    },
    async record(action) {
      const reason = await context.recordStart(ask(action), {
        type: "forward.open",
        connectionId: context.connectionId,
        kind: KINDS[action.kind],
        destination: describeForward(action).target,
      });
      if (reason !== null) throw new Refused(context.deny(reason, action));
      ask(action);
    },
  };
}
