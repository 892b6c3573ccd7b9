/** API tokens made from a login: what they open, and everything that ends them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { updatePeer } from "../../../src/management/db/tables/peers.ts";
import { updateUser } from "../../../src/management/db/tables/users.ts";
import { ADA, OWNER, startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { openSignedClient } from "../../support/signed-client.ts";

const folder = mkdtempSync(join(tmpdir(), "qf-test-"));
const initiator = { id: "test", name: "test", email: "" };
let management: TestManagement;

beforeAll(async () => {
  management = await startTestManagement(join(folder, "data"));
  await management.addPerson(ADA);
});

afterAll(async () => {
  await management.close();
  rmSync(folder, { recursive: true, force: true });
});

async function signedIn(who = ADA) {
  const client = await openSignedClient(management.url);
  const proof = await client.signIn(who);
  const registered = await client.register(proof);
  return { client, order: { proof, devicePeerId: registered.peerId }, user: registered.user };
}

async function statusOf(token: string, path = "/api/users/current"): Promise<number> {
  const response = await fetch(`${management.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  await response.body?.cancel();
  return response.status;
}

const change = (work: Parameters<typeof management.context.store.change>[1]): Promise<unknown> =>
  management.context.store.change({ accountId: management.accountId, initiator, affectsMaps: true }, work);

describe("an API token of a login", () => {
  test("opens what the person's role opens, and nothing else", async () => {
    const owner = await signedIn(OWNER);
    const { token, expiresAtSeconds } = await owner.client.apiToken(owner.order);
    expect(await statusOf(token, "/api/users")).toBe(200);
    expect(expiresAtSeconds - Date.now() / 1000).toBeLessThanOrEqual(300);
    const ada = await signedIn();
    const hers = (await ada.client.apiToken(ada.order)).token;
    expect(await statusOf(hers)).toBe(200);
    expect(await statusOf(hers, "/api/setup-keys")).toBe(403);
  });

  test("is not among the tokens made by name", async () => {
    const { client, order, user } = await signedIn();
    const { token } = await client.apiToken(order);
    const response = await fetch(`${management.url}/api/users/${user.id}/tokens`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await response.json()).toEqual([]);
  });

  test("ends at logout", async () => {
    const { client, order } = await signedIn();
    const { token } = await client.apiToken(order);
    await client.logout();
    expect(await statusOf(token)).toBe(401);
  });

  test("ends when its device is blocked or its person is", async () => {
    const { client, order, user } = await signedIn();
    const { token } = await client.apiToken(order);
    const { accountId } = management;
    await change((tx) => updatePeer(tx, accountId, order.devicePeerId, { status: "blocked" }));
    expect(await statusOf(token)).toBe(401);
    await change((tx) => updatePeer(tx, accountId, order.devicePeerId, { status: "active" }));
    expect(await statusOf(token)).toBe(200);
    await change((tx) => updateUser(tx, accountId, user.id, { isBlocked: true }));
    expect(await statusOf(token)).toBe(403);
    await change((tx) => updateUser(tx, accountId, user.id, { isBlocked: false }));
  });
});
