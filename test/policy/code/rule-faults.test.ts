import { expect, test } from "bun:test";
import { faultOfRule } from "../../../src/policy/code/rule-faults.ts";
import type { PolicyRuleWrite } from "../../../src/wire/policy.ts";

const rule: PolicyRuleWrite = {
  ...{ name: "", enabled: true, action: "accept", bidirectional: false, protocol: "qufabric-ssh" },
  ...{ sources: ["g"], destinations: ["h"] },
};
const tcp: Partial<PolicyRuleWrite> = { protocol: "tcp" };

const sound: [name: string, change: Partial<PolicyRuleWrite>][] = [
  ["as it is", {}],
  ["22 and 22022", { ports: ["22", "22022"] }],
  ["other ports of a tcp rule", { ...tcp, ports: ["80"] }],
  ["an end after the beginning", { valid_from: 1, valid_until: 2 }],
];
test.each(sound)("%s is sound", (_, change) => {
  expect(faultOfRule({ ...rule, ...change }, "rules[0]")).toBeNull();
});

const faulty: [name: string, change: Partial<PolicyRuleWrite>, field: string][] = [
  ["no port", { ...tcp, ports: ["0"] }, "ports"],
  ["ports beside ranges", { ...tcp, ports: ["80"], port_ranges: [{ start: 1, end: 2 }] }, "ports"],
  ["ports of icmp", { protocol: "icmp", ports: ["80"] }, "ports"],
  ["other ports of an SSH rule", { ports: ["80"] }, "ports"],
  ["a range of an SSH rule", { port_ranges: [{ start: 22, end: 23 }] }, "ports"],
  ["an empty list of devices", { source_devices: [] }, "source_devices"],
  ["OS users of a tcp rule", { ...tcp, authorized_groups: { g: ["a"] } }, "authorized_groups"],
  ["capabilities of a tcp rule", { ...tcp, ssh: {} }, "ssh"],
  ["machine users of an SSH rule", { machine_local_users: ["a"] }, "machine_local_users"],
  ["an end at the beginning", { valid_from: 2, valid_until: 2 }, "valid_until"],
];
test.each(faulty)("%s is a fault that names its field", (_, change, field) => {
  const fault = faultOfRule({ ...rule, ...change }, "rules[0]");
  expect(fault?.message).toContain("rules[0]");
  expect(fault?.message).toContain(field);
});
