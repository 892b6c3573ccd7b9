import { expect, test } from "bun:test";
import { rolloutNoun } from "../../src/cli/rollout-verbs.ts";

test("every verb is a command", async () => {
  for (const { load } of Object.values(rolloutNoun.verbs))
    expect((await load()).help).toContain("qf rollout");
});
