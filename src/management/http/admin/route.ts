/**
 * A route of the REST API as data: the server, the API document and the tests use the same entry.
 *
 * @module
 */
import type { ZodType } from "zod";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import type { ManagementContext } from "../../contracts/context.ts";
import type { OutletDesk } from "../../contracts/outlet-desk.ts";
import type { Recordings } from "../../contracts/recordings.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { ChangeWriter } from "../../db/store.ts";
import type { NewEvent } from "../../db/tables/audit-events.ts";
import type { UserRow } from "../../db/tables/users.ts";
import type { PasswordCheck } from "../../idp/passwords.ts";
import type { OfferedReleases } from "../../rollouts/offered-release.ts";
import type { PeerSession } from "../../sync/sync-hub.ts";
import type { Access, Principal } from "./access.ts";
import type { Listing } from "./paging.ts";

/** What the API needs from the rest of management. */
export interface AdminContext extends ManagementContext {
  /** Origins whose pages may call the API, as browsers send them. */
  readonly corsOrigins: ReadonlySet<string>;
  /** Origin of the dashboard; its session cookie is accepted only there. Absent: `origin`. */
  readonly dashboardOrigin?: string;
  /** Whether a peer has a live control link. */
  readonly isConnected: (peerId: PeerId) => boolean;
  /** Live sessions of an account's machines, as last reported. */
  readonly sessions: (accountId: AccountId) => readonly PeerSession[];
  /**
   * Orders a machine to end an SSH connection; `text` is shown to the person. False: the machine has no link.
   */
  readonly endSession: (peerId: PeerId, connectionId: string, text: string) => boolean;
  readonly recordings: Pick<Recordings, "page" | "follow" | "remove">;
  /** Checks passwords of the embedded provider. Throws ERR_NOT_FOUND with an external one. */
  readonly passwords: () => PasswordCheck;
  readonly outlets: OutletDesk;
  readonly releases: OfferedReleases;
}

/** One request, proven and parsed. */
export interface Call<B = unknown, Q = unknown> {
  readonly ctx: AdminContext;
  readonly accountId: AccountId;
  readonly principal: Principal;
  /** The caller when the request arrived. */
  readonly user: UserRow;
  readonly body: B;
  readonly query: Q;
  /** Aborted when the caller disconnects. */
  readonly signal: AbortSignal;
  param(name: string): string;
  read<T>(fn: (tx: Reader) => Promise<T>): Promise<T>;
  /** Checks the caller again, then makes the change and records its events in one transaction. */
  change<T>(
    options: { readonly affectsMaps?: boolean; readonly events?: readonly NewEvent[] },
    fn: (tx: ChangeWriter, actor: UserRow) => Promise<T>,
  ): Promise<T>;
}

/** The shape of an answer: a single item or a list of them. */
export type Answer = { readonly one: ZodType } | { readonly listOf: ZodType };

export interface Route {
  readonly method: "get" | "post" | "put" | "delete";
  /** In Hono's form: `/api/users/:userId`. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  readonly body?: ZodType;
  readonly query?: ZodType;
  readonly answer: Answer;
  /**
   * Runs the account's policy tests on the result. "all": every test must pass. "new": those that passed
   * before must still pass. The route's query is `SaveQuery`. Absent: the route grants nothing.
   */
  readonly tests?: "all" | "new";
  /** Statuses it answers beyond those that follow from its shape (`statuses.ts`). */
  readonly also?: readonly number[];
  /** Additional headers of a successful answer. */
  readonly headers?: (call: Call<never, never>) => Readonly<Record<string, string>>;
  readonly handle: (call: Call<never, never>) => Promise<unknown>;
}

type Typed<B, Q> = Omit<Route, "body" | "query" | "handle" | "answer"> & {
  readonly body?: ZodType<B>;
  readonly query?: ZodType<Q>;
};
type One<B, Q> = Typed<B, Q> & {
  readonly answer: { readonly one: ZodType };
  readonly handle: (call: Call<B, Q>) => Promise<object>;
};
type List<B, Q> = Typed<B, Q> & {
  readonly answer: { readonly listOf: ZodType };
  readonly handle: (call: Call<B, Q>) => Promise<Listing<object>>;
};

/** Ties a handler to the types of its body and query. */
export function route<B = undefined, Q = Record<string, never>>(definition: One<B, Q> | List<B, Q>): Route {
  return definition as unknown as Route;
}

/** Unix seconds as the API writes times: RFC 3339. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
