import { expect, test } from "bun:test";
import { accessNoun } from "../../src/cli/access-verbs.ts";

test("every verb of qf access has a command of its name", async () => {
  for (const [verb, { load }] of Object.entries(accessNoun.verbs)) {
    expect((await load()).help).toContain(`usage: qf access ${verb}`);
  }
});
