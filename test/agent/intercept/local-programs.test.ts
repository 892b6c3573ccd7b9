import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { createLocalPrograms, takeBackLeftovers } from "../../../src/agent/intercept/local-programs.ts";
import { writeHostNames } from "../../../src/agent/os/hosts-file.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { tryLock } from "../../../src/base/file-lock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { isRoot } from "../../support/os-accounts.ts";
import { anId } from "../../support/policy.ts";
import { tempFolder } from "../../support/temp-folder.ts";

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

test.skipIf(!isRoot)("names that root cannot take away from the hosts file are no silent rest", async () => {
  const file = { path: join(tempFolder(), "hosts"), lock: join(tempFolder(), "lock") };
  const before = "127.0.0.1 localhost\n";
  writeFileSync(file.path, before);
  await writeHostNames(ENROLLED.peerId, [{ address: "100.64.0.3", names: ["web1.qf.internal"] }], file);
  const holder = await open(file.lock);
  expect(tryLock(holder.fd)).toBe(true);
  const failed = await takeBackLeftovers(ENROLLED.peerId, file).catch((error: unknown) => error);
  expect(isQfError(failed, "ERR_PERMISSION")).toBe(true);
  await holder.close();
  await takeBackLeftovers(ENROLLED.peerId, file);
  expect(readFileSync(file.path, "utf8")).toBe(before);
});
