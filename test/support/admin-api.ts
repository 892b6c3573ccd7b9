/**
 * The REST API without a socket: requests as somebody, answers as they come.
 */
import type { Hono } from "hono";
import { ADMIN_ROUTES, createAdminApp } from "../../src/management/http/admin/app.ts";
import { describeApi } from "../../src/management/http/admin/openapi.ts";
import type { AdminContext } from "../../src/management/http/admin/route.ts";
import { databaseAccounts } from "../../src/management/idp/database.ts";
import { createPasswordCheck } from "../../src/management/idp/passwords.ts";
import { createRecordings } from "../../src/management/recordings/recordings.ts";
import { createFolderStore } from "../../src/management/recordings/store.ts";
import type { Role } from "../../src/wire/admin-api.ts";
import { undocumentedStatus } from "./documented-status.ts";
import { FakeOutletDesk } from "./fake-outlet-desk.ts";
import { aManagement, anAccount, aTokenOf, aUserOf, ORIGIN, type TestManagement } from "./management.ts";
import { tempFolder } from "./temp-folder.ts";

/** Every status that any test sees has to be in it. */
const DOCUMENT = describeApi(ADMIN_ROUTES, ORIGIN) as unknown as Parameters<typeof undocumentedStatus>[0];

const NO_RELEASES: AdminContext["releases"] = {
  latest: async () => undefined,
  manifest: async () => undefined,
  signature: async () => undefined,
};

export interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any;
  readonly headers: Headers;
}

export class TestApi {
  readonly management: TestManagement;
  readonly app: Hono;
  readonly accountId: string;
  readonly ownerId: string;
  readonly owner: string;

  private constructor(
    management: TestManagement,
    account: { accountId: string; ownerId: string; token: string },
    recordings: AdminContext["recordings"],
  ) {
    this.management = management;
    this.accountId = account.accountId;
    this.ownerId = account.ownerId;
    this.owner = account.token;
    const accounts = databaseAccounts(management.store);
    const passwords = createPasswordCheck({ accounts, clock: management.clock });
    this.app = createAdminApp({
      isConnected: () => false,
      sessions: () => [],
      endSession: () => false,
      corsOrigins: new Set(),
      outlets: new FakeOutletDesk(),
      releases: NO_RELEASES,
      passwords: () => passwords,
      recordings,
      ...management,
    });
  }

  /** `recordingFolder` absent: one of its own. */
  static async open(change: Partial<AdminContext> = {}, recordingFolder = tempFolder()): Promise<TestApi> {
    const management = aManagement(change);
    const recordings = createRecordings(management, { store: createFolderStore(recordingFolder) });
    return new TestApi(management, await anAccount(management.store), recordings);
  }

  /** A request with a token, as the owner unless another is given. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    token: string | null = this.owner,
  ): Promise<Reply> {
    return this.send(method, path, {
      headers: {
        ...(token === null ? {} : { authorization: `Token ${token}` }),
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async send(method: string, path: string, init: RequestInit = {}): Promise<Reply> {
    const response = await this.app.request(`${ORIGIN}${path}`, { method, ...init });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    const { pathname } = new URL(path, ORIGIN);
    const missing = undocumentedStatus(DOCUMENT, { method, pathname, status: response.status });
    if (missing !== undefined) throw new Error(`/api/openapi.json does not say: ${missing}`);
    return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
  }

  /** A token of a new person of that role. */
  async tokenAs(role: Role): Promise<{ token: string; id: string }> {
    const user = await aUserOf(this.management.store, this.accountId, { role });
    return { token: await aTokenOf(this.management.store, user), id: user.id };
  }

  async groupAll(): Promise<string> {
    return (await this.call("GET", "/api/groups?name=All")).body[0].id;
  }

  async aGroup(name: string, peers: readonly string[] = []): Promise<string> {
    return (await this.call("POST", "/api/groups", { name, peers })).body.id;
  }

  /** Codes of the audit log, oldest first, from the `after`th on. */
  async activities(after = 1): Promise<string[]> {
    const { body } = await this.call("GET", `/api/events/audit?after_seq=${after}`);
    return body.map((event: { activity_code: string }) => event.activity_code);
  }
}

/** A limited SSH rule; `change` overrides its fields. */
export function aRuleBody(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: "rule",
    enabled: true,
    action: "accept",
    bidirectional: false,
    protocol: "qufabric-ssh",
    ...change,
  };
}

export function aPolicyBody(rules: readonly Record<string, unknown>[], change: Record<string, unknown> = {}) {
  return { name: "policy", enabled: true, rules, ...change };
}
