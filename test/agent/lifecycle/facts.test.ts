import { expect, test } from "bun:test";
import { machineFacts, machineName } from "../../../src/agent/lifecycle/facts.ts";
import { PeerFacts } from "../../../src/wire/client-api.ts";
import { HostLabel } from "../../../src/wire/units.ts";

test("machineFacts and machineName have the form that management takes", () => {
  expect(HostLabel.safeParse(machineName(null)).success).toBe(true);
  expect(PeerFacts.safeParse(machineFacts(machineName(null))).success).toBe(true);
  expect(machineName("web1")).toBe("web1");
});
