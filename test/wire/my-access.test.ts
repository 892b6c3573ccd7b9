/** Answers of /api/my/access. */
import { expect, test } from "bun:test";
import { MyAccess, MyAccessQuery } from "../../src/wire/my-access.ts";

const machine = {
  id: "d2222222222222222222",
  name: "web1",
  dns_label: "web1.qf.internal",
  ip: "100.64.0.2",
  connected: true,
  local_users: ["deploy"],
  reason: null,
  sentence: null,
  hint: null,
};

test("an answer parses with and without a device", () => {
  const device = { id: machine.id, name: "laptop" };
  expect(MyAccess.safeParse({ device, total: 1, machines: [machine] }).success).toBe(true);
  expect(MyAccess.safeParse({ device: null, total: 0, machines: [] }).success).toBe(true);
});

test("a reason that nobody knows does not", () => {
  const answer = { device: null, total: 1, machines: [{ ...machine, reason: "because" }] };
  expect(MyAccess.safeParse(answer).success).toBe(false);
});

test("a device in the query is an id", () => {
  expect(MyAccessQuery.safeParse({ device: machine.id }).success).toBe(true);
  expect(MyAccessQuery.safeParse({ device: "laptop's" }).success).toBe(false);
});
