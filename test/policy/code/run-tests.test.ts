import { describe, expect, test } from "bun:test";
import { runTests } from "../../../src/policy/code/run-tests.ts";
import { withFile } from "../../support/policy-account.ts";

const NOW = 1_795_000_000;
const POLICY = `
policies:
  - name: deploy
    rules:
      - sources: [managed-laptops]
        destinations: [web]
        authorized_groups: {developers: [deploy]}
        ssh: {local_forward: ["db.internal:5432"], require_reason: true, reauth_within_seconds: 60}
tests:
  - `;
const ask = "user: ada@example.com, machine: web1, local_user: deploy";
const resultOf = (line: string) => runTests(withFile(`${POLICY}{${line}}`), NOW)[0];

describe("passes", () => {
  test.each([
    `${ask}, expect: allow`,
    `${ask}, device: ada-laptop, expect: allow`,
    `${ask}, device: bob-laptop, expect: deny, reason: device_not_authorized`,
    `${ask}, action: {forward: "db.internal:5432"}, expect: allow`,
    `${ask}, action: {forward: "10.0.0.1:22"}, expect: deny, reason: forward_destination_not_allowed`,
    "user: ada@example.com, machine: web1, local_user: root, expect: deny, reason: local_user_unmapped",
    "user: ada@example.com, machine: db1, local_user: deploy, expect: deny, reason: peer_not_authorized",
    "user: bot, machine: web1, local_user: deploy, expect: deny, reason: unmanaged_device",
  ])("%s", (line) => {
    expect(resultOf(line)).toMatchObject({ passed: true });
  });
});

describe("fails", () => {
  test.each([
    [`${ask}, expect: deny`, { outcome: "allow" }],
    [`${ask}, expect: deny, reason: denied_by_rule`, { outcome: "allow" }],
    [
      "user: ada@example.com, machine: web1, local_user: root, expect: deny, reason: denied_by_rule",
      { outcome: "deny", reason: "local_user_unmapped" },
    ],
    ["user: bob@example.com, machine: web1, local_user: deploy, expect: allow", { outcome: "deny" }],
  ])("%s", (line, result) => {
    expect(resultOf(line)).toMatchObject({ passed: false, ...result });
  });
});

test("a test of something that is gone fails, whatever it expects", () => {
  const account = withFile(`${POLICY}{${ask}, expect: deny}`);
  const gone = { ...account, users: account.users.filter(({ email }) => email !== "ada@example.com") };
  expect(runTests(gone, NOW)[0]).toMatchObject({ passed: false, outcome: null });
});
