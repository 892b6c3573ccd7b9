import { expect, test } from "bun:test";
import type { OutletRow } from "../../../src/management/db/tables/log-outlets.ts";
import type { Outbound, OutboundBytes, OutboundPost } from "../../../src/management/outbound/outbound.ts";
import type { Mail } from "../../../src/management/outlets/mailer.ts";
import { sealOutletSecret } from "../../../src/management/outlets/secrets.ts";
import { createSender } from "../../../src/management/outlets/sender.ts";
import { newWebhookSecret, signedWebhook } from "../../../src/management/outlets/webhook.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const MASTER_KEY = new Uint8Array(32).fill(7);
const owner = { id: "o1", accountId: "a1" };
const webhook = { type: "webhook", url: "https://hook.example.com/in" } as const;
const notice = { topic: "new_device", seq: 9, atMs: 0, activity: "peer.user.add", text: "Ada" } as const;

function aSender(hasMail = true) {
  const posts: OutboundPost[] = [];
  const writes: OutboundBytes[] = [];
  const mails: Mail[] = [];
  const outbound: Outbound = {
    post: async (one) => void posts.push(one),
    write: async (one) => void writes.push(one),
  };
  const mailer = hasMail ? { send: async (mail: Mail) => void mails.push(mail) } : null;
  const clock = new FakeClock();
  const deps = { outbound, mailer, masterKey: MASTER_KEY, origin: "https://qf.example.com", clock };
  return { sender: createSender(deps), posts, writes, mails, clock };
}

const outlet = (target: OutletRow["target"], secret: string | null = null) => ({
  ...owner,
  target,
  secret: secret === null ? null : sealOutletSecret(MASTER_KEY, owner, secret),
});

test("a webhook is signed with its own secret, over the very body", async () => {
  const { sender, posts, clock } = aSender();
  const secret = newWebhookSecret();
  await sender.sendEntries(outlet(webhook, secret), [{ seq: 3, line: '{"seq":3}' }]);
  const [post] = posts;
  const again = { url: webhook.url, id: "msg_o1_3_3", nowMs: clock.nowMs(), body: post?.body ?? "" };
  expect(post).toEqual(signedWebhook(secret, again));
});

test("the same page has the same id at each attempt", async () => {
  const { sender, posts, clock } = aSender();
  const to = outlet(webhook, newWebhookSecret());
  for (let i = 0; i < 2; i++) {
    await sender.sendNotices(to, [notice]);
    clock.advanceMs(60_000);
  }
  expect(posts.map(({ headers }) => headers["webhook-id"])).toEqual(["msg_o1_9_9", "msg_o1_9_9"]);
});

test("syslog goes where its target says", async () => {
  const { sender, writes } = aSender();
  const target = { type: "syslog", host: "logs.example.com", port: 6514, tls: true } as const;
  await sender.sendEntries(outlet(target), [{ seq: 3, line: '{"seq":3}' }]);
  expect(writes).toMatchObject([{ host: "logs.example.com", port: 6514, tls: true }]);
});

test("a chat's URL is its secret", async () => {
  const { sender, posts } = aSender();
  const url = "https://hooks.slack.com/services/T/B/x";
  await sender.sendNotices(outlet({ type: "slack", host: "hooks.slack.com" }, url), [notice]);
  expect(posts).toMatchObject([{ url }]);
  expect(posts[0]?.headers["webhook-signature"]).toBeUndefined();
});

test("mail goes to its recipients, and fails where there is no mail server", async () => {
  const { sender, mails } = aSender();
  const target = { type: "email", to: ["ada@example.com"] } as const;
  await sender.sendNotices(outlet(target), [notice]);
  expect(mails).toMatchObject([{ to: ["ada@example.com"] }]);
  await expect(aSender(false).sender.sendNotices(outlet(target), [notice])).rejects.toMatchObject({
    code: "ERR_UNAVAILABLE",
  });
});

test("a test says that it is one, to each kind", async () => {
  const { sender, posts, writes, mails } = aSender();
  const targets: [OutletRow["target"], string | null][] = [
    [webhook, newWebhookSecret()],
    [{ type: "slack", host: "h" }, "https://h/x"],
    [{ type: "syslog", host: "h", port: 1, tls: false }, null],
    [{ type: "email", to: ["a@example.com"] }, null],
  ];
  for (const [target, secret] of targets) await sender.sendTest(outlet(target, secret));
  const texts = [...posts.map(({ body }) => body), String(writes[0]?.bytes), mails[0]?.text];
  expect(texts.map((text) => text?.includes("test"))).toEqual([true, true, true, true]);
});
