import { expect, test } from "bun:test";
import { planOf } from "../../../src/policy/code/plan.ts";
import { resolveText, WHOLE_FILE, withFile } from "../../support/policy-account.ts";

test("the plan names each piece that is added, changed and removed", () => {
  const account = withFile(WHOLE_FILE);
  const resolution = resolveText(
    `policies:
  - name: deploy
    rules:
      - {sources: [managed-laptops], destinations: [web], authorized_groups: {developers: [deploy, root]}}
tests: []`,
    account,
  );
  if (resolution.kind !== "resolved") throw new Error("refused");
  expect(planOf(account, resolution.account)).toMatchObject([
    { what: "rule", change: "changed", name: "deploy", rule: "rule 1", fields: ["authorized_groups", "ssh"] },
    { what: "policy", change: "removed", name: "everything else" },
    { what: "tests", change: "changed" },
  ]);
});

test("a new policy is told with its rules, without ids that it does not have yet", () => {
  const account = withFile(WHOLE_FILE);
  const added = resolveText(WHOLE_FILE.replace("name: deploy", "name: fresh"), account);
  if (added.kind !== "resolved") throw new Error("refused");
  expect(planOf(account, added.account).slice(0, 2)).toEqual([
    { what: "policy", change: "added", name: "fresh" },
    { what: "rule", change: "added", name: "fresh", rule: "rule 1" },
  ]);
});
