/** Words of access: each row is one rule, and the words that hold for ada as `deploy`. */
import { describe, expect, test } from "bun:test";
import { accessOf, prepareAccess, probesOf, shortWords } from "../../../src/policy/code/access.ts";
import type { MapRule } from "../../../src/wire/network-map.ts";
import { aMap, anId, aPeer, aRule, aUser } from "../../support/policy.ts";

const NOW = 1_795_000_000;
const { settings } = aMap({});
const ada = aUser("ada", ["devs"]);
const laptop = aPeer("laptop", [], { ownerUserId: ada.id });
const machine = { ...aPeer("web1", ["servers"], { kind: "machine" }), sshEnabled: true };

function wordsOf(rules: readonly MapRule[], localUser = "deploy"): string[] {
  const side = prepareAccess({
    ...{ machine, settings, rules, nowSeconds: NOW },
    users: [ada],
    peers: [laptop],
  });
  return shortWords(accessOf(side, ada, [laptop], probesOf(rules)).get(localUser) ?? new Set());
}

const rule = (change: Partial<MapRule> = {}): MapRule => aRule("r", ["devs"], ["deploy"], change);
const able = (capabilities: MapRule["capabilities"]): MapRule => rule({ capabilities });
const usual = wordsOf([rule()]);

test("a plain rule grants what OpenSSH would", () => {
  expect(usual).toEqual([
    ...["connect", "shell", "pty", "exec", "sftp", "local_forward", "remote_forward"],
    ...["local_socket", "remote_socket", "sftp_write"],
    ...["without_approval", "without_reason", "without_recent_sign_in", "without_recording", "at_any_time"],
  ]);
});

describe("takes away", () => {
  const rows: [name: string, rules: MapRule[], gone: string[]][] = [
    ["sftp", [able({ sftp: "off" })], ["sftp", "sftp_write"]],
    ["writing", [able({ sftp: "read" })], ["sftp_write"]],
    ["an approval", [able({ require_approval: true })], ["without_approval"]],
    ["a reason", [able({ require_reason: true })], ["without_reason"]],
    ["a sign-in", [able({ reauth_within_seconds: 5 })], ["without_recent_sign_in"]],
    [
      "a recording, and what none can be made of",
      [able({ record: "required" })],
      ["without_recording", "local_forward", "remote_forward", "local_socket", "remote_socket"],
    ],
    ["an end", [rule({ validUntilSeconds: NOW + 5 })], ["at_any_time"]],
    ["a beginning", [rule({ validFromSeconds: NOW + 5 })], ["at_any_time"]],
    [
      "a drop until later",
      [rule(), aRule("d", ["devs"], "full", { action: "drop", validUntilSeconds: NOW + 5 })],
      ["at_any_time"],
    ],
    ["an expired rule", [rule({ validUntilSeconds: NOW })], usual],
    ["a drop", [rule(), aRule("d", ["devs"], "full", { action: "drop" })], usual],
    ["no terminal", [able({ pty: false })], ["pty"]],
  ];
  test.each(rows)("%s", (_, rules, gone) => {
    expect(wordsOf(rules)).toEqual(usual.filter((word) => !gone.includes(word)));
  });
});

test("entries of lists are words of their own", () => {
  const words = wordsOf([able({ commands: ["/bin/true"], local_forward: ["db:5432", "*:22"] })]);
  expect(words.filter((word) => /exec|forward/.test(word))).toEqual([
    ...["exec /bin/true", "local_forward *:22", "local_forward db:5432"],
  ]);
});

test("any OS user is `*`, and a limited rule grants no other than it names", () => {
  expect(wordsOf([aRule("full", ["devs"], "full")], "*")).toContain("connect");
  expect(wordsOf([rule()], "*")).toEqual([]);
  expect(wordsOf([rule({ capabilities: { allow_unmanaged_devices: true } })])).toContain(
    "from_unmanaged_device",
  );
  expect(anId("devs")).not.toBe("");
});
