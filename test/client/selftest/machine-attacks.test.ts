import { expect, test } from "bun:test";
import { runAttacks } from "../../../src/client/selftest/attack.ts";
import { machineAttacks } from "../../../src/client/selftest/machine-attacks.ts";
import { aWeakMachine } from "../../support/weak-server.ts";

const scope = { accountId: "d34hgk3f9s8d7f6g5h4j", origin: "https://qf.example.com" };

/** All at once: a machine that ends nothing is waited for. */
async function outcomes(isSsh: boolean): Promise<Record<string, string>> {
  const machine = await aWeakMachine({ isSsh });
  const attacks = machineAttacks(machine.place, scope, () => 1_795_000_000);
  const reports = await Promise.all(attacks.map((one) => runAttacks([one])));
  machine.close();
  return Object.fromEntries(
    reports.flatMap(({ results }) => results).map(({ id, outcome }) => [id, outcome]),
  );
}

test("a machine that answers strangers, or grants early, is said to break", async () => {
  const [fabric, ssh] = await Promise.all([outcomes(false), outcomes(true)]);
  const hellos = ["stranger", "hello_forged", "hello_replayed", "hello_endless"];
  const early = ["early_message_21", "early_message_50", "early_message_80", "early_message_90"];
  expect(hellos.map((id) => fabric[id])).toEqual(hellos.map(() => "broke"));
  expect(early.map((id) => fabric[id])).toEqual(early.map(() => "skipped"));
  expect(hellos.map((id) => ssh[id])).toEqual(hellos.map(() => "skipped"));
  expect(early.map((id) => ssh[id])).toEqual(early.map(() => "broke"));
}, 60_000);
