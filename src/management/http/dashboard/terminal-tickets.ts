/**
 * Tickets that each let a page open one WebSocket. Issuing one writes nothing; using one does.
 *
 * A ticket is its expiry, a random part, and a MAC over both and its purpose. Any management process of the
 * account can verify it, and the database accepts each once.
 *
 * @module
 */
import { createHmac, randomBytes } from "node:crypto";
import { type Clock, nowSeconds } from "../../../base/clock.ts";
import { isQfError } from "../../../base/errors.ts";
import { isEqualSecret, sha256 } from "../../../base/random.ts";
import type { Store } from "../../db/store.ts";
import { insertChallenge } from "../../db/tables/sign-in.ts";

const LIFETIME_SECONDS = 10;
const BODY_BYTES = 16;
/** The body and a MAC of 16 bytes. */
const TICKET = /^[A-Za-z0-9_-]{43}$/;
const MAC_BYTES = 16;

/** What a ticket is for. */
export interface TicketUse {
  readonly sessionId: string;
  readonly userId: string;
  /** base64url SHA-256 of the hello without its newline, or of the id of what is watched. */
  readonly helloHash: string;
}

export interface TerminalTickets {
  issue(use: TicketUse): string;
  /** Uses it up. False: it is for something else, too old, or used already. */
  use(ticket: string, use: TicketUse): Promise<boolean>;
}

export function createTerminalTickets(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly masterKey: Uint8Array;
  /** Separates tickets by purpose: one does not open the other's WebSocket. Absent: a terminal. */
  readonly purpose?: "watch";
}): TerminalTickets {
  const { purpose = "terminal" } = deps;
  const key = createHmac("sha256", deps.masterKey).update(`qufabric/${purpose}-ticket/v1`).digest();
  const sealed = (body: Buffer, { sessionId, userId, helloHash }: TicketUse): string => {
    const mac = createHmac("sha256", key);
    for (const part of [body, sessionId, userId, helloHash]) mac.update(part).update("\0");
    return Buffer.concat([body, mac.digest().subarray(0, MAC_BYTES)]).toString("base64url");
  };
  return {
    issue(use) {
      const body = randomBytes(BODY_BYTES);
      body.writeUInt32BE(nowSeconds(deps.clock) + LIFETIME_SECONDS);
      return sealed(body, use);
    },
    async use(ticket, use) {
      if (!TICKET.test(ticket)) return false;
      const body = Buffer.from(ticket, "base64url").subarray(0, BODY_BYTES);
      if (!isEqualSecret(ticket, sealed(body, use))) return false;
      const expiresAt = body.readUInt32BE();
      if (expiresAt <= nowSeconds(deps.clock)) return false;
      try {
        await deps.store.transaction((tx) => insertChallenge(tx, sha256(ticket), expiresAt));
        return true;
      } catch (cause) {
        if (isQfError(cause, "ERR_CONFLICT")) return false;
        throw cause;
      }
    },
  };
}
