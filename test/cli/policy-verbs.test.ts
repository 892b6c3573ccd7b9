import { expect, test } from "bun:test";
import { policyNoun } from "../../src/cli/policy-verbs.ts";

test("every verb loads a command whose usage is its own", async () => {
  for (const [verb, { load }] of Object.entries(policyNoun.verbs)) {
    expect((await load()).help).toContain(`usage: qf policy ${verb}`);
  }
});
