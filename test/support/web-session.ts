/**
 * Sessions of the dashboard for tests of the REST API, and requests as a page of ours makes them.
 */
import { newId, newSecret } from "../../src/base/random.ts";
import type { UserRow } from "../../src/management/db/tables/users.ts";
import {
  confirmAsked,
  hashWebSession,
  insertWebSession,
  WEB_SESSION_SECONDS,
} from "../../src/management/db/tables/web-sessions.ts";
import type { Role } from "../../src/wire/admin-api.ts";
import type { Reply, TestApi } from "./admin-api.ts";
import { aUserOf } from "./management.ts";

export interface TestSession {
  readonly user: UserRow;
  readonly secret: string;
  readonly id: string;
}

/** A session of a new person of `role`, or of `user`. */
export async function aSession(api: TestApi, role: Role = "admin", user?: UserRow): Promise<TestSession> {
  const { store, clock } = api.management;
  const owner = user ?? (await aUserOf(store, api.accountId, { role }));
  const secret = newSecret("");
  const now = Math.floor(clock.nowMs() / 1000);
  const id = newId();
  await store.transaction((tx) =>
    insertWebSession(tx, {
      id,
      accountId: api.accountId,
      userId: owner.id,
      hash: hashWebSession(secret),
      sourceAddress: "192.0.2.1",
      browser: "Firefox",
      createdAt: now,
      lastSeenAt: now,
      expiresAt: now + WEB_SESSION_SECONDS,
      authTime: now,
    }),
  );
  return { user: owner, secret, id };
}

/** Of `fetch` on a page of ours. */
export function fromPage(secret: string, headers: Record<string, string> = {}): RequestInit {
  return {
    headers: {
      cookie: `__Host-qf_session=${secret}`,
      "x-qf-dashboard": "1",
      "sec-fetch-site": "same-origin",
      ...headers,
    },
  };
}

/**
 * Sends by `send` as the session's person does who confirms it: what is refused for want of that is confirmed
 * by its digest, as on the page, and sent once more.
 */
export async function confirming(
  api: TestApi,
  { id }: Pick<TestSession, "id">,
  send: () => Promise<Reply>,
): Promise<Reply> {
  const refused = await send();
  const digest = refused.headers.get("x-confirm-digest");
  if (digest === null) return refused;
  await api.management.store.transaction((tx) => confirmAsked(tx, id, digest));
  return send();
}
