import { beforeEach, describe, expect, test } from "bun:test";
import { listLiveOutlets } from "../../../../src/management/db/tables/log-outlets.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { FakeOutletDesk } from "../../../support/fake-outlet-desk.ts";

const STREAMS = "/api/audit-streams";
const CHANNELS = "/api/notifications";
const webhook = { type: "webhook", url: "https://hook.example.com/in" };
const elsewhere = { type: "webhook", url: "https://other.example.com/in" };
const slack = { type: "slack", url: "https://hooks.slack.com/services/T/B/secret" };

let api: TestApi;
let desk: FakeOutletDesk;
beforeEach(async () => {
  desk = new FakeOutletDesk();
  api = await TestApi.open({ outlets: desk });
});

const make = async (path: string, change: object = {}) =>
  (await api.call("POST", path, { name: "one", target: webhook, ...change })).body;
const rows = () => api.management.store.read(listLiveOutlets);

describe("a stream", () => {
  test("is made with its secret, which no other answer and no event has", async () => {
    const made = await make(STREAMS);
    expect(made.secret).toMatch(/^whsec_/);
    const seen = [
      (await api.call("GET", STREAMS)).body,
      (await api.call("GET", `${STREAMS}/${made.id}`)).body,
      (await api.call("PUT", `${STREAMS}/${made.id}`, { name: "two", target: webhook })).body,
      (await api.call("GET", "/api/events/audit")).body,
    ];
    expect(JSON.stringify(seen)).not.toContain("whsec_");
  });

  test("begins now, or with the first entry", async () => {
    expect((await make(STREAMS)).delivered_seq).toBe(1);
    expect((await make(STREAMS, { name: "all", from: "beginning" })).delivered_seq).toBe(0);
  });

  test("shows how it is", async () => {
    const { id } = await make(STREAMS);
    expect((await api.call("GET", `${STREAMS}/${id}`)).body).toMatchObject({
      ...{ status: "ok", lag: 1, last_error: null, failing_since: null, last_delivered_at: null },
    });
    await api.call("PUT", `${STREAMS}/${id}`, { name: "one", target: webhook, enabled: false });
    expect((await api.call("GET", `${STREAMS}/${id}`)).body.status).toBe("disabled");
  });

  test.each([
    ["moved", (id: string) => api.call("PUT", `${STREAMS}/${id}`, { name: "one", target: elsewhere })],
    [
      "stopped",
      (id: string) => api.call("PUT", `${STREAMS}/${id}`, { name: "one", target: webhook, enabled: false }),
    ],
    ["deleted", (id: string) => api.call("DELETE", `${STREAMS}/${id}`)],
  ])("that is %s still tells its old address so, with its own secret", async (_name, change) => {
    const { id, secret } = await make(STREAMS);
    expect((await change(id)).status).toBe(200);
    const [last] = (await api.call("GET", "/api/events/audit?limit=1")).body;
    const ending = (await rows()).filter(({ endsAtSeq }) => endsAtSeq !== null);
    expect(ending).toMatchObject([{ target: webhook, endsAtSeq: Number(last.id) }]);
    expect(ending.map((row) => desk.open(row))).toEqual([secret]);
    expect(last.activity_code).toMatch(/^audit\.stream\.(?:update|delete)$/);
  });

  test("keeps its place and its secret when it is renamed, and gets another secret when that is asked for", async () => {
    const { id, secret } = await make(STREAMS);
    await api.call("PUT", `${STREAMS}/${id}`, { name: "two", target: webhook });
    expect((await rows()).map((row) => desk.open(row))).toEqual([secret]);
    const body = { name: "two", target: webhook, rotate_secret: true };
    const rotated = (await api.call("PUT", `${STREAMS}/${id}`, body)).body.secret;
    expect(rotated).toMatch(/^whsec_/);
    expect(rotated).not.toBe(secret);
    expect((await rows()).map((row) => desk.open(row))).toEqual([rotated]);
  });

  test("is tested", async () => {
    const { id } = await make(STREAMS);
    desk.answer = { ok: false, error: "no", hint: "try" };
    expect((await api.call("POST", `${STREAMS}/${id}/test`)).body).toEqual(desk.answer);
  });

  test("is made, changed and tested by owners only; auditors see it", async () => {
    const { id } = await make(STREAMS);
    const { token: admin } = await api.tokenAs("admin");
    const { token: auditor } = await api.tokenAs("auditor");
    const body = { name: "x", target: webhook };
    expect((await api.call("POST", STREAMS, body, admin)).status).toBe(403);
    expect((await api.call("DELETE", `${STREAMS}/${id}`, undefined, admin)).status).toBe(403);
    expect((await api.call("POST", `${STREAMS}/${id}/test`, undefined, admin)).status).toBe(403);
    expect((await api.call("GET", STREAMS, undefined, auditor)).status).toBe(200);
  });

  test("is not a channel", async () => {
    const { id } = await make(STREAMS);
    expect((await api.call("GET", `${CHANNELS}/${id}`)).status).toBe(404);
  });
});

test.each([
  ["http", { type: "webhook", url: "http://hook.example.com/" }],
  ["a password in the URL", { type: "webhook", url: "https://a:b@hook.example.com/" }],
  ["a fragment", { type: "webhook", url: "https://hook.example.com/#a" }],
  ["another scheme", { type: "webhook", url: "file:///etc/passwd" }],
  ["no host", { type: "syslog", host: "", port: 514 }],
  ["a host with a line break", { type: "syslog", host: "a\nb", port: 514 }],
  ["no port", { type: "syslog", host: "logs.example.com", port: 0 }],
  ["a chat", slack],
  ["nothing", undefined],
])("a stream to %s is refused", async (_name, target) => {
  expect((await api.call("POST", STREAMS, { name: "x", target })).status).toBe(422);
});

test("names are unique, and there are at most sixteen", async () => {
  await make(STREAMS);
  expect((await api.call("POST", STREAMS, { name: "one", target: webhook })).status).toBe(409);
  for (let i = 0; i < 15; i++) expect((await make(CHANNELS, { name: `n${i}` })).id).toBeDefined();
  expect((await api.call("POST", STREAMS, { name: "more", target: webhook })).status).toBe(409);
});

describe("a channel", () => {
  test("tells of everything unless topics are named", async () => {
    expect((await make(CHANNELS)).topics).toHaveLength(5);
    expect((await make(CHANNELS, { name: "few", topics: ["new_device"] })).topics).toEqual(["new_device"]);
  });

  test("to a chat shows its host, and keeps its URL when none is given", async () => {
    const made = await make(CHANNELS, { target: slack });
    expect(made.target).toEqual({ type: "slack", host: "hooks.slack.com" });
    const body = { name: "two", target: { type: "slack" } };
    expect((await api.call("PUT", `${CHANNELS}/${made.id}`, body)).body.target).toEqual(made.target);
    expect((await rows()).map((row) => desk.open(row))).toEqual([slack.url]);
    const seen = [(await api.call("GET", CHANNELS)).body, (await api.call("GET", "/api/events/audit")).body];
    expect(JSON.stringify(seen)).not.toContain("/services/");
  });

  test("to a chat without a URL is refused where there was none", async () => {
    const { id } = await make(CHANNELS);
    const body = { name: "one", target: { type: "slack" } };
    expect((await api.call("PUT", `${CHANNELS}/${id}`, body)).status).toBe(422);
  });

  test("by mail wants a mail server", async () => {
    const target = { type: "email", to: ["ops@example.com"] };
    expect((await make(CHANNELS, { target })).target).toEqual(target);
    desk.hasMail = false;
    expect((await api.call("POST", CHANNELS, { name: "two", target })).status).toBe(412);
  });

  test("is deleted at once", async () => {
    const { id } = await make(CHANNELS);
    expect((await api.call("DELETE", `${CHANNELS}/${id}`)).status).toBe(200);
    expect(await rows()).toEqual([]);
    expect(await api.activities()).toEqual(["notification.create", "notification.delete"]);
  });
});

test("a webhook's address is whole for those who may change it, and its host for others", async () => {
  const target = { type: "webhook", url: "https://hook.example.com/services/bearer" };
  const stream = await make(STREAMS, { target });
  const channel = await make(CHANNELS, { name: "two", target });
  const seenBy = async (token: string) => {
    const paths = [STREAMS, `${STREAMS}/${stream.id}`, CHANNELS, `${CHANNELS}/${channel.id}`];
    const answers = await Promise.all(paths.map((path) => api.call("GET", path, undefined, token)));
    return answers.map(({ body }) => JSON.stringify(body).includes("bearer"));
  };
  const tokens = await Promise.all((["auditor", "admin"] as const).map((role) => api.tokenAs(role)));
  expect(await seenBy(tokens[0]?.token ?? "")).toEqual([false, false, false, false]);
  expect(await seenBy(tokens[1]?.token ?? "")).toEqual([false, false, true, true]);
  expect(await seenBy(api.owner)).toEqual([true, true, true, true]);
});

test("a test is an event, before anything is sent", async () => {
  const { id } = await make(CHANNELS);
  const stream = await make(STREAMS);
  await api.call("POST", `${CHANNELS}/${id}/test`);
  await api.call("POST", `${STREAMS}/${stream.id}/test`);
  expect((await api.activities()).slice(-2)).toEqual(["notification.test", "audit.stream.test"]);
});
