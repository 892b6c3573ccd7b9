import { expect, test } from "bun:test";
import { NetBirdPolicy, NetBirdSetupKey, NetBirdUser } from "../../src/wire/netbird-api.ts";
import { NETBIRD, netBirdPolicy, netBirdRule } from "../support/netbird-server.ts";

test("answers as NetBird gives them are taken, with fields that nobody reads", () => {
  expect(NetBirdUser.array().parse(NETBIRD.users)).toHaveLength(3);
  expect(NetBirdSetupKey.array().parse(NETBIRD["setup-keys"])).toHaveLength(3);
  // A rule about a resource has null where groups would be, and one without OS users has none.
  const rule = netBirdRule({ sources: null, authorized_groups: null, ports: null });
  expect(NetBirdPolicy.safeParse(netBirdPolicy([rule])).success).toBe(true);
});

test.each<[what: string, change: Record<string, unknown>]>([
  ["an action of a later version", { action: "limit" }],
  ["no word on whether it is enabled", { enabled: undefined }],
  ["sources in another shape", { sources: ["g1"] }],
  ["OS users in another shape", { authorized_groups: { g1: "deploy" } }],
])("a rule with %s is not read as something else", (_what, change) => {
  expect(NetBirdPolicy.safeParse(netBirdPolicy([netBirdRule(change)])).success).toBe(false);
});
