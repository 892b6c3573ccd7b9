import { expect, test } from "bun:test";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { runAttacks } from "../../../src/client/selftest/attack.ts";
import { type ReachableMachine, streamAttacks } from "../../../src/client/selftest/stream-attacks.ts";
import { aWeakMachine, aWeakManagement } from "../../support/weak-server.ts";

const scope = { accountId: "d34hgk3f9s8d7f6g5h4j", origin: "https://qf.example.com" };
const device = { peerId: "d34hgk3f9s8d7f6g5h4k", deviceKey: generateEd25519() };
const nowSeconds = () => 1_795_000_000;

async function outcomes(machine: ReachableMachine | null): Promise<Record<string, string>> {
  const server = aWeakManagement(scope);
  const attacks = streamAttacks(server.url, { scope, device, nowSeconds, machine });
  const reports = await Promise.all(attacks.map((one) => runAttacks([one])));
  server.close();
  return Object.fromEntries(
    reports.flatMap(({ results }) => results).map(({ id, outcome }) => [id, outcome]),
  );
}

test("every attack is said to break a relay and a machine that take everything", async () => {
  const { place, close } = await aWeakMachine({ isSsh: false });
  const found = await outcomes({ peerId: "d34hgk3f9s8d7f6g5h4m", direct: [`${place.host}:${place.port}`] });
  close();
  expect(Object.keys(found)).toHaveLength(19);
  expect(Object.entries(found).filter(([, outcome]) => outcome !== "broke")).toEqual([]);
});

test("without a machine nothing is tried, and what wants its port is skipped where none answers", async () => {
  expect(new Set(Object.values(await outcomes(null)))).toEqual(new Set(["skipped"]));
  const found = await outcomes({ peerId: "d34hgk3f9s8d7f6g5h4m", direct: ["127.0.0.1:1"] });
  const skipped = Object.keys(found).filter((id) => found[id] === "skipped");
  expect(skipped).toHaveLength(6);
  expect(skipped.every((id) => id.startsWith("direct_hello_"))).toBe(true);
});
