import { expect, test } from "bun:test";
import { needsOf } from "../../../../src/dashboard/pages/overview/needs.ts";

type Account = Parameters<typeof needsOf>[0];

const NOW = Date.parse("2026-11-30T12:00:00Z");
const PEER = {
  kind: "machine",
  connected: true,
  approval_required: false,
  last_seen: "2026-11-30T12:00:00Z",
};
const KEY = { state: "valid", type: "reusable", expires: "2027-06-01T00:00:00Z" };
const OFF = { ...PEER, connected: false };
const NOTHING = { peers: [], users: [], keys: [], rollouts: [], requests: 0, nowMs: NOW };
const needs = (account: object): string[] =>
  needsOf({ ...NOTHING, ...account } as unknown as Account).map(({ id, to }) => `${id} ${to}`);

test.each<[title: string, account: object, needs: string[]]>([
  ["nothing", { peers: [PEER], keys: [KEY], users: [{ pending_approval: false }] }, []],
  ["a request for access", { requests: 1 }, ["requests /requests"]],
  ["a machine that waits", { peers: [{ ...PEER, approval_required: true }] }, ["machines /machines"]],
  [
    "a device that waits",
    { peers: [{ ...PEER, kind: "device", approval_required: true }] },
    ["devices /devices"],
  ],
  [
    "a rollout that halted, among others",
    { rollouts: [{ state: "halted" }, { state: "finished" }] },
    ["rollouts /rollouts"],
  ],
  ["rollouts that go on or are over", { rollouts: [{ state: "running" }, { state: "cancelled" }] }, []],
  ["a person who waits", { users: [{ pending_approval: true }] }, ["people /people"]],
  [
    "a machine not seen for 31 days",
    { peers: [{ ...OFF, last_seen: "2026-10-30T11:00:00Z" }] },
    ["lost /machines"],
  ],
  ["a machine not seen for 29 days", { peers: [{ ...OFF, last_seen: "2026-11-01T12:00:00Z" }] }, []],
  [
    "a key that ends in six days",
    { keys: [{ ...KEY, expires: "2026-12-06T12:00:00Z" }] },
    ["keys /setup-keys"],
  ],
  [
    "a key for one machine that ends",
    { keys: [{ ...KEY, type: "one-off", expires: "2026-12-01T00:00:00Z" }] },
    [],
  ],
  ["a key that has ended", { keys: [{ ...KEY, state: "expired", expires: "2026-11-29T00:00:00Z" }] }, []],
  ["a key without end", { keys: [{ ...KEY, expires: "0001-01-01T00:00:00Z" }] }, ["endless /setup-keys"]],
  [
    "a revoked key without end",
    { keys: [{ ...KEY, state: "revoked", expires: "0001-01-01T00:00:00Z" }] },
    [],
  ],
])("of %s", (_, account, expected) => expect(needs(account)).toEqual(expected));

test("one waits, and several wait", () => {
  const texts = (count: number) =>
    needsOf({ ...NOTHING, users: Array(count).fill({ pending_approval: true }) } as Account).map(
      ({ text }) => text,
    );
  expect(texts(1)).toEqual(["1 person waits for approval"]);
  expect(texts(1_200)).toEqual(["1,200 people wait for approval"]);
});
