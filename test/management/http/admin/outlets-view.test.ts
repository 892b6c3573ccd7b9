import { expect, test } from "bun:test";
import type { OutletRow } from "../../../../src/management/db/tables/log-outlets.ts";
import { asOutlet, outletMeta } from "../../../../src/management/http/admin/outlets-view.ts";

const row = (change: Partial<OutletRow> = {}): OutletRow => ({
  ...{ id: "o", accountId: "a", purpose: "stream", name: "s", enabled: true, topics: [], secret: "sealed" },
  target: { type: "webhook", url: "https://hook.example.com/path" },
  ...{ cursorSeq: 10, endsAtSeq: null, endedAt: null, failingSince: null, lastError: null },
  ...{ lastDeliveredAt: null, leaseBy: null, leaseUntilMs: 0, createdAt: 0 },
  ...change,
});

test.each<[string, Partial<OutletRow>, number, object]>([
  ["one that has everything", {}, 11, { status: "ok", lag: 0 }],
  ["one that waits a moment", {}, 511, { status: "ok", lag: 500 }],
  ["one with more than a page to go", {}, 512, { status: "behind", lag: 501 }],
  ["one that fails", { failingSince: 5, lastError: "x" }, 512, { status: "failing", last_error: "x" }],
  ["one that is off", { enabled: false, failingSince: 5 }, 512, { status: "disabled" }],
])("%s", (_name, change, nextSeq, shown) => {
  expect(asOutlet(row(change), nextSeq)).toMatchObject(shown);
  expect(JSON.stringify(asOutlet(row(change), nextSeq))).not.toContain("sealed");
});

test.each<[OutletRow["target"], string]>([
  [{ type: "webhook", url: "https://hook.example.com/secret-path?token=x" }, "hook.example.com"],
  [{ type: "syslog", host: "logs.example.com", port: 514, tls: false }, "logs.example.com:514"],
  [{ type: "slack", host: "hooks.slack.com" }, "hooks.slack.com"],
  [{ type: "email", to: ["a@example.com", "b@example.com"] }, "a@example.com b@example.com"],
])("an event says of %j no more than %s", (target, to) => {
  expect(outletMeta(row({ target }))).toEqual({ name: "s", type: target.type, to });
});
