/** News for pages: which kinds changed, to whom they are told, and when the telling ends. */
import { beforeEach, expect, test } from "bun:test";
import { deleteToken } from "../../../../src/management/db/tables/api-tokens.ts";
import { markWebSessionSeen } from "../../../../src/management/db/tables/web-sessions.ts";
import { createLive, kindsOfActivity, type Live } from "../../../../src/management/http/dashboard/live.ts";
import type { PresenceListener } from "../../../../src/management/sync/sync-hub.ts";
import type { Role } from "../../../../src/wire/admin-api.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { ORIGIN } from "../../../support/management.ts";
import { aSession, fromPage } from "../../../support/web-session.ts";

let api: TestApi;
let live: Live;
let arrive: PresenceListener;
beforeEach(async () => {
  api = await TestApi.open();
  live = createLive({
    ctx: api.management,
    onPresence: (listener) => {
      arrive = listener;
      return () => {};
    },
  });
});

/** The kinds told to somebody of that role, one message at a time; null at the end. */
async function listener(role: Role) {
  const { token, id } = await api.tokenAs(role);
  const response = await live.answer(
    new Request(`${ORIGIN}/api/live`, { headers: { authorization: `Token ${token}` } }),
  );
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const next = async (): Promise<string[] | null> => {
    while (true) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) return null;
      const data = /^data: (.*)$/m.exec(value ?? "")?.[1];
      if (data !== undefined) return JSON.parse(data).kinds;
    }
  };
  return { id, next, type: response.headers.get("content-type"), cancel: () => reader?.cancel() };
}

test("an administrator hears what kind of thing changed", async () => {
  const admin = await listener("admin");
  expect(admin.type).toBe("text/event-stream");
  await api.aGroup("web");
  expect(await admin.next()).toEqual(expect.arrayContaining(["groups", "events"]));
  await admin.cancel();
});

test("what is behind very many events is told as well", async () => {
  const admin = await listener("admin");
  const events = Array.from({ length: 450 }, () => ({ activity: "login" as const, targetId: "x" }));
  const initiator = { id: "sys", name: "system", email: "" };
  const last = { activity: "policy.update" as const, targetId: "x" };
  const { store } = api.management;
  await store.change({ accountId: api.accountId, initiator, events: [...events, last] }, async () => {});
  expect(await admin.next()).toEqual(expect.arrayContaining(["policies"]));
  await admin.cancel();
});

test("a machine that comes or goes is news", async () => {
  const admin = await listener("auditor");
  arrive(api.accountId, []);
  expect(await admin.next()).toEqual(expect.arrayContaining(["peers"]));
  await admin.cancel();
});

test("a plain user hears only of what is theirs", async () => {
  const plain = await listener("user");
  await api.aGroup("web");
  arrive(api.accountId, []);
  const kinds = (await plain.next()) ?? [];
  expect(kinds.filter((kind) => !["my", "users", "web-sessions"].includes(kind))).toEqual([]);
  await plain.cancel();
});

test("a plain user hears of sessions when their own are others, and not when somebody else's are", async () => {
  const [ada, bob] = [await listener("user"), await listener("user")];
  arrive(api.accountId, [ada.id]);
  expect(await ada.next()).toContain("sessions");
  expect(await bob.next()).not.toContain("sessions");
  const { store } = api.management;
  const initiator = { id: bob.id, name: "", email: "" };
  const events = [{ activity: "ssh.connection.close" as const, targetId: "x" }];
  await store.change({ accountId: api.accountId, initiator, events }, async () => {});
  arrive(api.accountId, []);
  const heard = [await bob.next(), await ada.next()];
  expect(heard.map((kinds) => kinds?.includes("sessions"))).toEqual([true, false]);
  await Promise.all([ada.cancel(), bob.cancel()]);
});

test("another account's news are not told", async () => {
  const admin = await listener("admin");
  arrive("another", []);
  await api.aGroup("web");
  expect(await admin.next()).toEqual(expect.arrayContaining(["groups"]));
  await admin.cancel();
});

test("it ends with the token that it began with", async () => {
  const admin = await listener("admin");
  const { store } = api.management;
  const [token] = (await api.call("GET", `/api/users/${admin.id}/tokens`)).body;
  await store.transaction((tx) => deleteToken(tx, api.accountId, token.id));
  arrive(api.accountId, []);
  expect(await admin.next()).toBeNull();
});

test("a page hears that its session ends, from five minutes before, and that it does not any longer", async () => {
  const { store, clock } = api.management;
  const { secret, id } = await aSession(api);
  const response = await live.answer(new Request(`${ORIGIN}/api/live`, fromPage(secret)));
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const said = async (): Promise<unknown> => {
    arrive(api.accountId, []);
    const data = /^data: (.*)$/m.exec((await reader?.read())?.value ?? "")?.[1];
    return data === undefined ? undefined : JSON.parse(data).ending;
  };
  await reader?.read();
  expect(await said()).toBeUndefined();
  clock.advanceMs(55 * 60_000 - 1_000);
  expect(await said()).toBeUndefined();
  clock.advanceMs(1_000);
  expect(await said()).toEqual({ seconds_left: 300, may_extend: true });
  await store.transaction((tx) => markWebSessionSeen(tx, id));
  expect(await said()).toBeNull();
  expect(await said()).toBeUndefined();
  await reader?.cancel();
});

test("nobody gets in without proof", () => {
  const asked = live.answer(new Request(`${ORIGIN}/api/live`));
  expect(asked).rejects.toMatchObject({ code: "ERR_UNAUTHENTICATED" });
});

test.each([
  ["peer.rename", ["peers", "groups"]],
  ["peer.upgrade", ["peers", "rollouts"]],
  ["rollout.halt", ["rollouts"]],
  ["peer.setupkey.add", ["peers", "groups", "setup-keys"]],
  ["user.group.add", ["users", "groups", "policy"]],
  ["policy.update", ["policies", "groups", "policy"]],
  ["ssh.session.start", ["sessions"]],
  ["ssh.recording.chunks", ["recordings"]],
  ["agent.gap", []],
] as const)("%s is about %j", (activity, kinds) => expect(kindsOfActivity(activity)).toEqual(kinds));
