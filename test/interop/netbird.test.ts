/** NetBird's clients at the real management over HTTP: the statuses, fields and errors they rely on. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { updatePeer } from "../../src/management/db/tables/peers.ts";
import { undocumentedStatus } from "../support/documented-status.ts";
import { aPeerOf } from "../support/management.ts";
import { startTestManagement, type TestManagement } from "../support/running-management.ts";
import { EXCHANGES, type Exchange } from "./netbird-exchanges.ts";
import { PERMISSION, SHAPES, TOKEN_MADE } from "./netbird-shapes.ts";

const DOCS = readFileSync(resolve(import.meta.dir, "../../docs/api.md"), "utf8");
/** Headings of the rows of the table of what differs. */
const REASONS = [...DOCS.matchAll(/^\| \*\*([^*]+)\*\* \|/gm)].map(([, reason]) => reason);

let running: TestManagement;
let document: Parameters<typeof undocumentedStatus>[0];
const folder = mkdtempSync(join(tmpdir(), "qf-netbird-"));
const ids: Record<string, string> = { none: "c".repeat(20) };

beforeAll(async () => {
  running = await startTestManagement(folder);
  const { store } = running.context;
  const machine = await aPeerOf(store, running.accountId, { name: "alpha" });
  const device = await aPeerOf(store, running.accountId, { name: "laptop", kind: "device" });
  await store.transaction((tx) => updatePeer(tx, running.accountId, machine.id, { address: "100.64.9.9" }));
  Object.assign(ids, { account: running.accountId, owner: running.ownerId });
  Object.assign(ids, { machine: machine.id, device: device.id });
  const [all] = (await send({ method: "GET", path: "/api/groups?name=All" })).body;
  ids.all = all.id;
  document = (await send({ method: "GET", path: "/api/openapi.json", anonymous: true })).body;
});

afterAll(async () => {
  await running?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any;
  readonly headers: Headers;
}

const filled = (text: string): string =>
  text.replace(/\{([\w-]+)\}/g, (_, name) => ids[name] ?? "c".repeat(20));

async function send(one: Pick<Exchange, "method" | "path" | "body" | "anonymous">): Promise<Answer> {
  const response = await fetch(`${running.url}${filled(one.path)}`, {
    method: one.method,
    headers: {
      ...(one.anonymous === true ? {} : { authorization: `Token ${running.token}` }),
      "content-type": "application/json",
    },
    ...(one.body === undefined ? {} : { body: filled(JSON.stringify(one.body)) }),
  });
  const { status, headers } = response;
  return { status, headers, body: await response.json() };
}

/** What is below a field path, of each entry where it goes through lists. */
function below(value: unknown, path: string): unknown[] {
  let found = Array.isArray(value) ? value : [value];
  for (const step of path.split(".").filter(Boolean)) {
    const name = step.replace(/\[\]$/, "");
    found = found.flatMap((one) => {
      const next = (one as Record<string, unknown>)[name];
      if (!step.endsWith("[]")) return [next];
      return Array.isArray(next) ? next : [];
    });
  }
  return found;
}

function requireFields(answer: unknown, path: string, names: string): void {
  for (const one of below(answer, path)) {
    const missing = names.split(" ").filter((name) => (one as Record<string, unknown>)[name] === undefined);
    expect({ path, missing }).toEqual({ path, missing: [] });
  }
}

describe("a request of NetBird's clients", () => {
  test.each(EXCHANGES.map((one) => ({ ...one })))("$name: $method $path", async (one) => {
    const { status, body, headers } = await send(one);
    const wanted = one.differs?.ours ?? one.theirs ?? 422;
    expect([wanted].flat()).toContain(status);
    const asked = new URL(filled(one.path), running.url).pathname;
    expect(undocumentedStatus(document, { method: one.method, pathname: asked, status })).toBeUndefined();
    expect(headers.get("x-request-id")).toMatch(/^[a-z0-9]{20}$/);
    if (status !== 200) {
      expect([body.code, typeof body.message, body.error]).toEqual([
        status,
        "string",
        expect.stringMatching(/^ERR_[A-Z_]+$/),
      ]);
      if (status === 404) expect(body.message).toContain("not found");
      return;
    }
    if (one.as !== undefined) ids[one.as] = body.id ?? body.personal_access_token.id;
    if (one.method === "DELETE") return expect(body).toEqual({});
    const pathname = filled(one.path)
      .replace(/^\/api\//, "")
      .replace(/\?.*/, "");
    if (one.method === "POST" && pathname.endsWith("/tokens")) {
      requireFields(body, "", TOKEN_MADE);
      return;
    }
    const shape = SHAPES.find(({ path }) => path.test(pathname));
    for (const [path, names] of Object.entries(shape?.fields ?? {})) requireFields(body, path, names);
  });
});

test("one who never signed in has a last_login, and the caller permissions of every module", async () => {
  const { body } = await send({ method: "GET", path: "/api/users/current" });
  expect(body.last_login).toBe("0001-01-01T00:00:00Z");
  for (const may of Object.values(body.permissions.modules)) requireFields(may, "", PERMISSION);
});

test("a key without end says so as NetBird does, and is valid", async () => {
  const body = { name: "k", type: "reusable", expires_in: 0, auto_groups: [], usage_limit: 0 };
  const made = (await send({ method: "POST", path: "/api/setup-keys", body })).body;
  expect(made).toMatchObject({ expires: "0001-01-01T00:00:00Z", valid: true, state: "valid" });
});

describe("what differs on purpose", () => {
  const given = new Set(EXCHANGES.flatMap((one) => (one.differs === undefined ? [] : [one.differs.why])));

  test("is said in docs/api.md, each with its reason", () => {
    for (const why of given) expect(REASONS).toContain(why);
  });

  test("really differs", () => {
    for (const { name, theirs, differs } of EXCHANGES) {
      if (differs !== undefined) expect([name, [differs.ours].flat()]).not.toEqual([name, [theirs]]);
    }
  });
});
