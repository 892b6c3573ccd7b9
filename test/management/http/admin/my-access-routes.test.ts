/** What a person may reach, as /api/my/access says it: grants and their nearest denials. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MyAccess } from "../../../../src/wire/my-access.ts";
import { ADA, OWNER, startTestManagement, type TestManagement } from "../../../support/running-management.ts";
import { openSignedClient } from "../../../support/signed-client.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
let management: TestManagement;
let ada: { token: string; deviceId: string };
let owner: { token: string; deviceId: string };

async function signIn(who = ADA): Promise<{ token: string; deviceId: string }> {
  const client = await openSignedClient(management.url);
  const proof = await client.signIn(who);
  const { peerId } = await client.register(proof);
  const { token } = await client.apiToken({ proof, devicePeerId: peerId });
  return { token, deviceId: peerId };
}

async function ask(token: string, query = ""): Promise<{ status: number; body: MyAccess }> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${management.url}/api/my/access${query}`, { headers });
  return { status: response.status, body: (await response.json()) as MyAccess };
}

beforeAll(async () => {
  management = await startTestManagement(join(folder, "data"));
  const devs = await management.addGroup("devs");
  const web = await management.addGroup("web");
  const db = await management.addGroup("db");
  const others = await management.addGroup("others");
  await management.addPerson(ADA, [devs]);
  await management.addPolicy({
    sources: [devs],
    destinations: [web],
    authorized_groups: { [devs]: ["web", "deploy"] },
  });
  // The device may reach db1, and nobody of its person's groups may be anybody there.
  await management.addPolicy({
    sources: [devs],
    destinations: [db],
    authorized_groups: { [others]: ["postgres"] },
  });
  for (const [name, group] of [
    ["web1", web],
    ["db1", db],
    ["other1", others],
  ] as const) {
    const machine = await openSignedClient(management.url);
    await machine.enrol({ name, setupKey: await management.addSetupKey({ autoGroups: [group] }) });
  }
  ada = await signIn();
  owner = await signIn(OWNER);
});

afterAll(async () => {
  await management.close();
  rmSync(folder, { recursive: true, force: true });
});

test("machines are listed with local users or the reason; those that no rule opens are not", async () => {
  const { body } = await ask(ada.token);
  expect(body).toMatchObject({
    device: { id: ada.deviceId },
    total: 2,
    machines: [
      { name: "db1", local_users: [], reason: expect.any(String), sentence: expect.any(String) },
      { name: "web1", local_users: ["deploy", "web"], reason: null, connected: false },
    ],
  });
});

test("a person of no source group sees none", async () => {
  expect((await ask(owner.token)).body).toMatchObject({ total: 0, machines: [] });
});

test("a device of somebody else is not found", async () => {
  expect((await ask(ada.token, `?device=${owner.deviceId}`)).status).toBe(404);
  expect((await ask(ada.token, `?device=${ada.deviceId}`)).status).toBe(200);
});

test("a token made by name is answered for the person's last device, and without one for none", async () => {
  const made = await fetch(`${management.url}/api/users/current`, {
    headers: { authorization: `Token ${management.token}` },
  });
  expect(made.status).toBe(200);
  expect((await ask(management.token)).body.device?.id).toBe(owner.deviceId);
});
