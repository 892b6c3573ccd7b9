/** A reason on its way into a certificate: required, signed, recorded. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isQfError } from "../../../src/base/errors.ts";
import { parseCertificate } from "../../../src/certificate/parse.ts";
import type { LoginProof } from "../../../src/wire/client-api.ts";
import { ADA, startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { openSignedClient, type SignedClient } from "../../support/signed-client.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
const REASON = "OPS-142: disk is full";
let management: TestManagement;
let client: SignedClient;
let order: { proof: LoginProof; devicePeerId: string; target: string };

beforeAll(async () => {
  management = await startTestManagement(join(folder, "data"));
  const devs = await management.addGroup("devs");
  const machines = await management.addGroup("machines");
  await management.addPerson(ADA, [devs]);
  await management.addPolicy({
    sources: [devs],
    destinations: [machines],
    authorized_groups: { [devs]: ["deploy"] },
    ssh: { require_reason: true },
  });
  const machine = await openSignedClient(management.url);
  await machine.enrol({ name: "web1", setupKey: await management.addSetupKey({ autoGroups: [machines] }) });
  client = await openSignedClient(management.url);
  const proof = await client.signIn(ADA);
  const { peerId } = await client.register(proof);
  order = { proof, devicePeerId: peerId, target: "web1" };
}, 60_000);

afterAll(async () => {
  await management?.close();
  rmSync(folder, { recursive: true, force: true });
});

test.each(["deploy", ""])(
  "no certificate for '%s' without a reason, and that is what is said",
  async (localUser) => {
    expect(await client.mint({ ...order, localUser })).toMatchObject({
      outcome: "denied",
      reason: "reason_required",
    });
  },
);

test.each(["deploy", ""])("a certificate for '%s' with a reason, which stands in it", async (localUser) => {
  const answer = await client.mint({ ...order, localUser, accessReason: REASON });
  if (answer.outcome !== "issued") throw new Error(answer.reason);
  const { identity, principals } = parseCertificate(Buffer.from(answer.certificate, "base64"));
  expect(identity.accessReason).toBe(REASON);
  expect(principals).toEqual(["deploy"]);
});

test("a reason opens nothing that is not granted", async () => {
  expect(await client.mint({ ...order, localUser: "postgres", accessReason: REASON })).toMatchObject({
    outcome: "denied",
    reason: "local_user_unmapped",
  });
});

test.each([
  ["put in on the way", {}, { accessReason: REASON }],
  ["changed on the way", { accessReason: REASON }, { accessReason: "another reason" }],
])("a reason that is %s is refused", async (_name, signed, sent) => {
  const request = await client.certificateRequest({ ...order, localUser: "deploy", ...signed }, sent);
  const error = await client.api.certificate(request).catch((thrown: unknown) => thrown);
  expect(isQfError(error, "ERR_UNAUTHENTICATED")).toBe(true);
});

test.each(["", "  ", "ab", "a".repeat(2_000), "abc\u0007", "abc\ndef", " padded "])(
  "what is no reason is refused as it comes: %j",
  async (accessReason) => {
    const request = await client.certificateRequest({ ...order, localUser: "deploy", accessReason });
    const error = await client.api.certificate(request).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("accessReason must be one printable line");
  },
);
