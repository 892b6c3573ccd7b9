import { expect, test } from "bun:test";
import { narrowestRule } from "../../../src/policy/code/narrowest-rule.ts";
import { createQuestions } from "../../../src/policy/code/questions.ts";
import { anId, aUser } from "../../support/policy.ts";
import { aPolicyAccount, withFile } from "../../support/policy-account.ts";

const asked = {
  ...{ userId: anId("ada"), machinePeerId: anId("db1"), localUser: "root" },
  ...{ action: { kind: "connect" as const }, nowSeconds: 1_795_000_000 },
};
const account = aPolicyAccount();

test("the narrowest rule names the person's smallest group, that machine and that local user alone", () => {
  const rule = narrowestRule(account, asked);
  expect(rule).toMatchObject({
    sources: [anId("developers")],
    destinationResource: { id: anId("db1") },
    authorized_groups: { [anId("developers")]: ["root"] },
  });
  const crowded = { ...account, users: [...account.users, aUser("eve", ["developers"])] };
  const inOps = crowded.users.map((user) =>
    user.id === anId("ada") ? { ...user, groups: [...user.groups, anId("ops")] } : user,
  );
  expect(narrowestRule({ ...crowded, users: inOps }, asked)?.sources).toEqual([anId("ops")]);
});

test("with the rule the question is allowed, and the nearest ones are still denied", () => {
  const rule = narrowestRule(account, asked);
  if (rule === null) throw new Error("there is no rule");
  const policy = { id: anId("p"), name: "p", description: null, enabled: true, sourcePostureChecks: [] };
  const { ask } = createQuestions({ ...account, policies: [{ ...policy, rules: [rule] }] });
  const kindOf = (change: Partial<typeof asked>) => ask({ ...asked, ...change })?.decision.kind;
  expect(kindOf({})).toBe("allow");
  expect(kindOf({ localUser: "deploy" })).toBe("deny");
  expect(kindOf({ machinePeerId: anId("web1") })).toBe("deny");
  expect(kindOf({ userId: anId("bob") })).toBe("deny");
});

test("no rule is drafted where none would help: a drop, a blocked machine, nobody known", () => {
  const drop = "policies: [{name: p, rules: [{action: drop, sources: [All], destinations: [All]}]}]";
  expect(narrowestRule(withFile(drop), asked)).toBeNull();
  const peers = account.peers.map((peer) =>
    peer.id === anId("db1") ? { ...peer, status: "blocked" as const } : peer,
  );
  expect(narrowestRule({ ...account, peers }, asked)).toBeNull();
  expect(narrowestRule(account, { ...asked, userId: anId("nobody") })).toBeNull();
});
