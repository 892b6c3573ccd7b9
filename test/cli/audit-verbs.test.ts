import { expect, test } from "bun:test";
import { auditNouns } from "../../src/cli/audit-verbs.ts";

const verbs = Object.entries(auditNouns).flatMap(([noun, { verbs }]) =>
  Object.entries(verbs).map(([name, verb]) => ({ name: `qf ${noun} ${name}`, verb })),
);

test.each(verbs)("$name is there", async ({ verb }) => {
  expect(await verb.load()).toBeDefined();
});
