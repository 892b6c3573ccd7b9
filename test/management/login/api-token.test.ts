/** API tokens made from a login: what they open, and everything that ends them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { updatePeer } from "../../../src/management/db/tables/peers.ts";
import { updateUser } from "../../../src/management/db/tables/users.ts";
import { OWNER } from "../../support/running-management.ts";
import { openSignedInLab, type SignedInLab } from "../../support/signed-in.ts";

let lab: SignedInLab;
beforeAll(async () => {
  lab = await openSignedInLab();
});
afterAll(() => lab.close());

async function statusOf(token: string, path = "/api/users/current"): Promise<number> {
  const response = await fetch(`${lab.management.url}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await response.body?.cancel();
  return response.status;
}

describe("an API token of a login", () => {
  test("opens what the person's role opens, and nothing else", async () => {
    const owner = await lab.signedIn(OWNER);
    const { token, expiresAtSeconds } = await owner.client.apiToken(owner.order);
    expect(await statusOf(token, "/api/users")).toBe(200);
    expect(expiresAtSeconds - Date.now() / 1000).toBeLessThanOrEqual(300);
    const ada = await lab.signedIn();
    const hers = (await ada.client.apiToken(ada.order)).token;
    expect(await statusOf(hers)).toBe(200);
    expect(await statusOf(hers, "/api/setup-keys")).toBe(403);
  });

  test("is not among the tokens made by name", async () => {
    const { client, order, user } = await lab.signedIn();
    const { token } = await client.apiToken(order);
    const response = await fetch(`${lab.management.url}/api/users/${user.id}/tokens`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await response.json()).toEqual([]);
  });

  test("ends at logout", async () => {
    const { client, order } = await lab.signedIn();
    const { token } = await client.apiToken(order);
    await client.logout();
    expect(await statusOf(token)).toBe(401);
  });

  test("ends when its device is blocked or its person is", async () => {
    const { client, order, user } = await lab.signedIn();
    const { token } = await client.apiToken(order);
    const { accountId } = lab.management;
    await lab.change((tx) => updatePeer(tx, accountId, order.devicePeerId, { status: "blocked" }));
    expect(await statusOf(token)).toBe(401);
    await lab.change((tx) => updatePeer(tx, accountId, order.devicePeerId, { status: "active" }));
    expect(await statusOf(token)).toBe(200);
    await lab.change((tx) => updateUser(tx, accountId, user.id, { isBlocked: true }));
    expect(await statusOf(token)).toBe(403);
    await lab.change((tx) => updateUser(tx, accountId, user.id, { isBlocked: false }));
  });
});
