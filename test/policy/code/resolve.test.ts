/** Policy files put into an account: what is refused, what keeps its identity, and that nothing is lost. */
import { describe, expect, test } from "bun:test";
import { planOf } from "../../../src/policy/code/plan.ts";
import { renderFile } from "../../../src/policy/code/render.ts";
import { anId } from "../../support/policy.ts";
import { aPolicyAccount, resolveText, WHOLE_FILE, withFile } from "../../support/policy-account.ts";

describe("is refused, with one sentence that names the place", () => {
  const rule = "{sources: [ops], destinations: [web]}";
  const rows: [name: string, text: string, message: RegExp, hint?: RegExp][] = [
    [
      "an unknown group",
      `policies: [{name: a, rules: [{sources: [opps], destinations: [web]}]}]`,
      /sources names an unknown group, "opps"/,
      /"ops"/,
    ],
    [
      "a group in other case",
      `policies: [{name: a, rules: [{sources: [Ops], destinations: [web]}]}]`,
      /"Ops"/,
      /"ops"/,
    ],
    [
      "an unknown group of people",
      `policies: [{name: a, rules: [{sources: [ops], destinations: [web], authorized_groups: {devs: [a]}}]}]`,
      /authorized_groups/,
    ],
    [
      "an unknown peer",
      `policies: [{name: a, rules: [{sources: [ops], destination_peer: web9}]}]`,
      /destination_peer/,
      /"web1"/,
    ],
    [
      "an unknown posture check",
      `policies: [{name: a, source_posture_checks: [x], rules: [${rule}]}]`,
      /posture check/,
    ],
    [
      "an unknown person",
      "tests: [{user: x, machine: web1, local_user: a, expect: allow}]",
      /tests\[0\]\.user/,
    ],
    [
      "a device as a machine",
      "tests: [{user: ada@example.com, machine: ada-laptop, local_user: a, expect: allow}]",
      /tests\[0\]\.machine/,
    ],
    [
      "a reason for an allow",
      "tests: [{user: ada@example.com, machine: web1, local_user: a, expect: allow, reason: user_blocked}]",
      /reason/,
    ],
    [
      "an address without a port",
      "tests: [{user: bot, machine: web1, local_user: a, action: {forward: 'a:0'}, expect: deny}]",
      /port/,
    ],
    [
      "two policies of one name",
      `policies: [{name: a, rules: [${rule}]}, {name: A, rules: [${rule}]}]`,
      /policies\[1\]\.name/,
    ],
    ["a group twice", `groups: {web: {}, "id:${anId("web")}": {}}`, /twice/],
    ["a group that looks like another", "groups: {WEB: {}}", /looks the same/],
    ["a group nobody can read", 'groups: {"a\\u202eb": {}}', /read/],
    [
      "approvers in a cycle",
      "groups: {web: {approver_groups: [db]}, db: {approver_groups: [web]}}",
      /cycle: "web" → "db" → "web"/,
    ],
    ["a group that approves itself", "groups: {web: {approver_groups: [web]}}", /cycle/],
    [
      "approvers that may be asked for",
      "groups: {web: {approver_groups: [ops]}, ops: {requestable: true}}",
      /requestable/,
    ],
    [
      "neither sources nor a source",
      `policies: [{name: a, rules: [{destinations: [web]}]}]`,
      /neither sources nor source_peer/,
    ],
    [
      "both",
      `policies: [{name: a, rules: [{sources: [ops], source_peer: web1, destinations: [web]}]}]`,
      /both sources and source_peer/,
    ],
    [
      "ports of an SSH rule",
      `policies: [{name: a, rules: [{sources: [ops], destinations: [web], ports: [80]}]}]`,
      /ports/,
    ],
    [
      "an end before the beginning",
      `policies: [{name: a, rules: [{sources: [ops], destinations: [web], valid_from: 9, valid_until: 9}]}]`,
      /valid_until/,
    ],
    ["an id of no policy", `policies: [{id: "id:nothing", name: a, rules: [${rule}]}]`, /unknown policy/],
  ];
  test.each(rows.map(([name, text, message, hint]) => ({ name, text, message, hint })))(
    "$name",
    ({ text, message, hint }) => {
      const resolution = resolveText(text);
      if (resolution.kind !== "refused") throw new Error("was taken");
      expect(resolution.faults).toHaveLength(1);
      expect(resolution.faults[0]?.message).toMatch(message);
      if (hint !== undefined) expect(resolution.faults[0]?.hint).toMatch(hint);
    },
  );
});

describe("keeps its identity", () => {
  const account = withFile(WHOLE_FILE);
  const ids = account.policies[1]?.rules.map(({ id }) => id);
  const idsAfter = (change: (text: string) => string): readonly (string | undefined)[] | undefined => {
    const resolution = resolveText(change(WHOLE_FILE), account);
    if (resolution.kind !== "resolved") throw new Error(JSON.stringify(resolution.faults));
    return resolution.account.policies
      .find(({ name }) => name.startsWith("everything"))
      ?.rules.map(({ id }) => id);
  };

  test("a rule that is changed and has a name", () => {
    expect(idsAfter((text) => text.replace("of ops", "of all"))).toEqual(ids);
  });

  test("a rule at its place, without a name", () => {
    expect(idsAfter((text) => text.replace("ports: [22", "ports: [23"))).toEqual(ids);
  });

  test("a rule before which another is put", () => {
    const put = (text: string) =>
      text.replace(
        "      - name: databases",
        "      - {sources: [ops], destinations: [db]}\n      - name: databases",
      );
    expect(idsAfter(put)?.slice(1)).toEqual(ids);
    expect(idsAfter(put)?.[0]).toStartWith("new:");
  });

  test("a policy that is renamed under its id", () => {
    const id = account.policies[1]?.id;
    expect(
      idsAfter((text) => text.replace("name: everything else", `name: everything\n    id: "id:${id}"`)),
    ).toEqual(ids);
  });

  test("and a policy under another name is another", () => {
    expect(
      idsAfter((text) => text.replace("name: everything else", "name: everything"))?.every((id) =>
        id?.startsWith("new:"),
      ),
    ).toBe(true);
  });
});

test("a section that is absent is left as it is, and groups that are not named as well", () => {
  const account = withFile(WHOLE_FILE);
  const resolution = resolveText("groups: {db: {requestable: true}, fresh: {}}", account);
  if (resolution.kind !== "resolved") throw new Error("refused");
  expect(resolution.account.policies).toBe(account.policies);
  expect(resolution.account.tests).toBe(account.tests);
  expect(planOf(account, resolution.account)).toEqual([
    { what: "group", change: "changed", name: "db" },
    { what: "group", change: "added", name: "fresh" },
  ]);
  expect(resolution.account.groups.find(({ name }) => name === "web")?.settings.requestable).toBe(true);
});

test("what a file requires for a group's machines holds for them, and is written back", () => {
  const account = withFile("groups: {web: {require: {record: required}}}");
  const web = account.groups.find(({ name }) => name === "web")?.id ?? "";
  for (const { groups, require } of account.peers) {
    expect(require?.record).toBe(groups.includes(web) ? "required" : undefined);
  }
  expect(account.peers.some(({ require }) => require !== undefined)).toBe(true);
  expect(renderFile(account).groups?.web).toEqual({ require: { record: "required" } });
  const freed = resolveText("groups: {web: {}}", account);
  if (freed.kind !== "resolved") throw new Error("refused");
  expect(freed.account.peers.every(({ require }) => require === undefined)).toBe(true);
});

test("a new group may be named by the rules of its own file", () => {
  const account = withFile(
    "groups: {fresh: {}}\npolicies: [{name: a, rules: [{sources: [fresh], destinations: [web]}]}]",
  );
  expect(account.policies[0]?.rules[0]?.sources).toEqual([anId("fresh")]);
});

test("nothing of an account is touched where the file says what is there", () => {
  const account = aPolicyAccount();
  const resolution = resolveText("policies: []", account);
  expect(resolution).toEqual({ kind: "resolved", account });
});
