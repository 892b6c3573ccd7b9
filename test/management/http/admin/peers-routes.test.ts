/** Blocking and approval of peers over the API. */
import { beforeEach, expect, test } from "bun:test";
import { nowSeconds } from "../../../../src/base/clock.ts";
import { newId } from "../../../../src/base/random.ts";
import { findLogin, insertLogin } from "../../../../src/management/db/tables/logins.ts";
import { findPeer } from "../../../../src/management/db/tables/peers.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { aPeerOf, aUserOf } from "../../../support/management.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

const body = {
  name: "web",
  ssh_enabled: true,
  login_expiration_enabled: false,
  inactivity_expiration_enabled: false,
};

async function put(id: string, change: object, token?: string) {
  return api.call("PUT", `/api/peers/${id}`, { ...body, ...change }, token ?? api.owner);
}

const statusOf = (id: string) =>
  api.management.store.read(async (tx) => (await findPeer(tx, api.accountId, id))?.status);

test("a machine is blocked and let in again, with an event for each", async () => {
  const { id } = await aPeerOf(api.management.store, api.accountId);
  expect((await api.call("GET", `/api/peers/${id}`)).body).toMatchObject({
    blocked: false,
    disapproval_reason: "",
  });
  const blocked = (await put(id, { blocked: true })).body;
  expect(blocked).toMatchObject({ blocked: true, approval_required: false });
  expect(blocked.disapproval_reason).toContain("blocked");
  expect(await statusOf(id)).toBe("blocked");
  // What other clients send of it lets nobody in.
  expect((await put(id, { approval_required: false })).body.blocked).toBe(true);
  expect(await statusOf(id)).toBe("blocked");
  expect((await put(id, { blocked: false })).body).toMatchObject({ blocked: false, disapproval_reason: "" });
  expect(await statusOf(id)).toBe("active");
  const codes = (await api.activities()).filter((code) => code !== "peer.update");
  expect(codes).toEqual(["peer.block", "peer.unblock"]);
});

test("a machine waits for approval and is approved, with an event for each", async () => {
  const { id } = await aPeerOf(api.management.store, api.accountId);
  expect((await put(id, { approval_required: true })).body.approval_required).toBe(true);
  expect(await statusOf(id)).toBe("pending");
  expect((await put(id, {})).body.approval_required).toBe(true);
  expect((await put(id, { approval_required: false })).body.approval_required).toBe(false);
  expect(await statusOf(id)).toBe("active");
  const codes = (await api.activities()).filter((code) => code !== "peer.update");
  expect(codes).toEqual(["peer.suspend", "peer.approve"]);
});

test.each(["machine", "device"] as const)("a %s that waits stays waiting through a block", async (kind) => {
  const owner = kind === "device" ? await aUserOf(api.management.store, api.accountId) : null;
  const { id } = await aPeerOf(api.management.store, api.accountId, { kind, owner });
  await put(id, { approval_required: true });
  await put(id, { blocked: true });
  expect((await api.call("GET", `/api/peers/${id}`)).body).toMatchObject({
    blocked: true,
    approval_required: true,
  });
  expect((await put(id, { blocked: false })).body).toMatchObject({ blocked: false, approval_required: true });
  expect(await statusOf(id)).toBe("pending");
});

test("blocking a device ends the logins made on it for good", async () => {
  const { store, clock } = api.management;
  const owner = await aUserOf(store, api.accountId);
  const device = await aPeerOf(store, api.accountId, { kind: "device", owner });
  const now = nowSeconds(clock);
  const login = {
    id: newId(),
    accountId: api.accountId,
    loginKey: "A".repeat(43),
    userId: owner.id,
    devicePeerId: device.id,
    binding: "idp" as const,
    issuedAt: now,
    createdAt: now,
    until: now + 600,
  };
  await store.transaction((tx) => insertLogin(tx, login));
  await put(device.id, { blocked: true });
  await put(device.id, { blocked: false });
  expect((await store.read((tx) => findLogin(tx, login.id)))?.revokedAt).toBe(now);
});

test.each([
  ["auditor", 403],
  ["user", 403],
  ["admin", 200],
] as const)("a %s who blocks gets %i", async (role, status) => {
  const { id } = await aPeerOf(api.management.store, api.accountId);
  const { token } = await api.tokenAs(role);
  expect((await put(id, { blocked: true }, token)).status).toBe(status);
});
