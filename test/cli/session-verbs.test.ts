import { expect, test } from "bun:test";
import { sessionNoun } from "../../src/cli/session-verbs.ts";

test("every verb loads a command whose usage is its own", async () => {
  for (const [verb, { load }] of Object.entries(sessionNoun.verbs)) {
    expect((await load()).help).toContain(`usage: qf session ${verb}`);
  }
});
