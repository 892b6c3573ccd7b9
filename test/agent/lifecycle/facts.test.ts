import { expect, test } from "bun:test";
import { directAddresses, machineFacts, machineName } from "../../../src/agent/lifecycle/facts.ts";
import { ownUserName } from "../../../src/base/own-user.ts";
import { PeerFacts } from "../../../src/wire/client-api.ts";
import { DirectAddresses } from "../../../src/wire/network-map.ts";
import { HostLabel } from "../../../src/wire/units.ts";

test("machineFacts and machineName have the form that management takes", () => {
  expect(HostLabel.safeParse(machineName(null)).success).toBe(true);
  expect(PeerFacts.safeParse(machineFacts(machineName(null))).success).toBe(true);
  expect(machineName("web1")).toBe("web1");
});

test("ownUserName asks the system, whatever the environment says", () => {
  const result = Bun.spawnSync(["id", "-un"]);
  expect(ownUserName()).toBe(result.stdout.toString().trim());
  expect(ownUserName(4_000_000_000 - 1)).not.toBe("");
});

test("directAddresses tells a plain address as it is, and what was advertised first", () => {
  expect(directAddresses(["127.0.0.1:22022"], ["203.0.113.7:22"])).toEqual([
    "203.0.113.7:22",
    "127.0.0.1:22022",
  ]);
});

test("directAddresses tells this machine's own addresses for a wildcard, loopback last", () => {
  const found = directAddresses(["0.0.0.0:22022"], []);
  expect(DirectAddresses.safeParse(found).success).toBe(true);
  expect(found.at(-1)).toBe("127.0.0.1:22022");
  expect(directAddresses(["[::]:22022"], []).every((text) => text.endsWith(":22022"))).toBe(true);
});
