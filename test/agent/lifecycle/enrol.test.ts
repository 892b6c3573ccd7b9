import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PrepareOptions, prepareAgent } from "../../../src/agent/lifecycle/prepare.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { newSecret } from "../../../src/base/random.ts";
import { OWNER, startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { openSignedClient } from "../../support/signed-client.ts";

let root: string;
let management: TestManagement;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "qf-enrol-"));
  management = await startTestManagement(join(root, "data"));
});
afterEach(async () => {
  await management.close();
  rmSync(root, { recursive: true });
});

const state = (name = "a") => join(root, name);

function prepare(change: Partial<PrepareOptions> = {}) {
  return prepareAgent({
    stateDir: state(),
    given: { managementUrl: management.url, name: "web1" },
    setupKey: undefined,
    signIn: undefined,
    clock: systemClock,
    log: silentLog,
    ...change,
  });
}

function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "ok",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );
}

test("a setup key enrols a machine", async () => {
  const { enrolled } = await prepare({ setupKey: await management.addSetupKey() });
  expect(enrolled).toMatchObject({ name: "web1", domain: "qf.internal", origin: management.url });
});

test.each(["", "short", "with a blank in it", "x".repeat(129), newSecret("qft_"), newSecret("qfp_")])(
  "%j is no setup key, and is not sent",
  async (setupKey) => {
    expect(await codeOf(prepare({ setupKey }))).toBe("ERR_USAGE");
  },
);

test("a person's sign-in enrols a machine that belongs to nobody", async () => {
  const signIn: PrepareOptions["signIn"] = async () => {
    const loginKey = generateEd25519();
    const client = await openSignedClient(management.url, { loginKey });
    return { loginKey, proof: await client.signIn(OWNER) };
  };
  const { enrolled } = await prepare({ signIn });
  expect(enrolled?.name).toBe("web1");
});

test("a taken name gets a suffix, and the machine keeps it", async () => {
  const setupKey = await management.addSetupKey();
  await prepare({ setupKey });
  const { enrolled } = await prepare({ setupKey, stateDir: state("b") });
  expect(enrolled?.name).toBe("web1-2");
  expect((await prepare({ stateDir: state("b") })).enrolled).toEqual(enrolled as never);
});

test("an enrolled machine needs neither key nor management to be prepared", async () => {
  const setupKey = await management.addSetupKey({ usageLimit: 1 });
  const { enrolled } = await prepare({ setupKey });
  await management.close();
  expect((await prepare()).enrolled).toEqual(enrolled as never);
  expect((await prepare({ setupKey })).enrolled).toEqual(enrolled as never);
});

test("a machine whose note was lost finds itself again by its key", async () => {
  const setupKey = await management.addSetupKey();
  const { enrolled } = await prepare({ setupKey });
  unlinkSync(join(state(), "agent.json"));
  expect((await prepare()).enrolled).toEqual(enrolled as never);
  unlinkSync(join(state(), "agent.json"));
  expect((await prepare({ setupKey })).enrolled).toEqual(enrolled as never);
});

test("a used-up key enrols nobody, and leaves no half enrolment", async () => {
  const setupKey = await management.addSetupKey({ usageLimit: 1 });
  await prepare({ setupKey });
  expect(await codeOf(prepare({ setupKey, stateDir: state("b") }))).toBe("ERR_UNAUTHENTICATED");
  expect(await codeOf(prepare({ stateDir: state("b") }))).toBe("ERR_NOT_ENROLLED");
});

test("a lost device key of an enrolled machine is named, not made anew", async () => {
  await prepare({ setupKey: await management.addSetupKey() });
  const path = join(state(), "device-key.json");
  const good = readFileSync(path);
  unlinkSync(path);
  expect(await codeOf(prepare())).toBe("ERR_STATE_DAMAGED");
  writeFileSync(path, good);
  expect(await codeOf(prepare())).toBe("ok");
});
