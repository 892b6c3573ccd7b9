import { expect, test } from "bun:test";
import { createLocalPrograms } from "../../../src/agent/intercept/local-programs.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { anId } from "../../support/policy.ts";

const ENROLLED = {
  ...{ accountId: anId("account"), origin: "http://127.0.0.1:1", peerId: anId("bastion") },
  ...{ name: "bastion", domain: "qf.internal", address: "100.64.0.2" },
};

test.each([
  [{ intercept: ["ada"] }, 1],
  [{ resolver: "qf.internal" }, 1],
  [{ intercept: [], resolver: null }, 0],
  [{}, 0],
])("an agent without root that is to do %j has a problem to show, or none", async (wanted, problems) => {
  const who = { enrolled: ENROLLED, deviceKey: generateEd25519(), clock: new FakeClock() };
  const programs = createLocalPrograms(who, { log: silentLog, privileged: false });
  await programs.follow(wanted);
  expect(programs.problems).toHaveLength(problems);
  await programs.close();
  expect(programs.problems).toEqual([]);
});
