import { expect, test } from "bun:test";
import { QfError } from "../../../src/base/errors.ts";
import { type Attack, runAttacks } from "../../../src/client/selftest/attack.ts";

const attack = (id: string, run: Attack["run"]): Attack => ({ id, target: "t", tried: "x", run });

test("a report holds while nothing broke, and names each outcome", async () => {
  const held = attack("held", async () => null);
  const skipped = attack("skipped", async () => ({ skipped: "no login" }));
  const failed = attack("failed", () => Promise.reject(new QfError("ERR_UNAVAILABLE", "it is away")));
  const good = await runAttacks([held, skipped, failed]);
  expect([good.held, good.results.map(({ outcome }) => outcome)]).toEqual([
    true,
    ["held", "skipped", "skipped"],
  ]);
  const heard: string[] = [];
  const bad = await runAttacks([held, attack("broke", async () => "a\u001b[2Jb\n")], ({ id }) =>
    heard.push(id),
  );
  expect([bad.held, heard]).toEqual([false, ["held", "broke"]]);
  expect(bad.results[1]?.detail).toBe("a [2Jb");
});
