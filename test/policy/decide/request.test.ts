import { expect, test } from "bun:test";
import { type MachineFlags, machineFlagsOf } from "../../../src/policy/decide/request.ts";

const set = {
  sshServer: true,
  sshRoot: false,
  sshSftp: true,
  sshLocalForwarding: false,
  sshRemoteForwarding: true,
};
const facts = { privileged: false, ownUser: "deploy", recording: true };

test("the flags of a decision are those that were set, and the machine's own facts", () => {
  const stored = { ...set, sshAuth: false, managementUrl: "https://qf.example.com" };
  expect(machineFlagsOf(stored, facts)).toEqual({ ...set, ...facts });
});

test.each(Object.keys(set) as (keyof typeof set)[])("%s is taken as it was set", (name) => {
  const turned = { ...set, [name]: !set[name] };
  expect(machineFlagsOf(turned, facts)[name]).toBe(!set[name]);
});

test("what was set says nothing of the machine's own facts", () => {
  const confused = { ...set, privileged: true, ownUser: "root" };
  const flags: MachineFlags = machineFlagsOf(confused, facts);
  expect({ privileged: flags.privileged, ownUser: flags.ownUser }).toEqual({
    privileged: false,
    ownUser: "deploy",
  });
});
