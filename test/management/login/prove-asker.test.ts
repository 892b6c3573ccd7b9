/** Requests that only a live login on its own device may make, each bent in one respect. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { generateEd25519, signEd25519 } from "../../../src/base/ed25519.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { updatePeer } from "../../../src/management/db/tables/peers.ts";
import { OWNER } from "../../support/running-management.ts";
import { openSignedInLab, type SignedInLab } from "../../support/signed-in.ts";

let lab: SignedInLab;
beforeAll(async () => {
  lab = await openSignedInLab();
});
afterAll(() => lab.close());

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isQfError(error) ? error.code : `no QfError: ${String(error)}`;
}

describe("a person's signed request is refused", () => {
  const OTHER = generateEd25519();
  const bad = signEd25519(OTHER, new Uint8Array(8));

  test.each([
    ["without the login key's signature", { loginSignature: bad }, "ERR_UNAUTHENTICATED"],
    ["without the device key's signature", { deviceSignature: bad }, "ERR_UNAUTHENTICATED"],
    ["for another login key", { loginKey: OTHER.publicKey }, "ERR_UNAUTHENTICATED"],
    ["for a device that is not registered", { devicePeerId: "d0000000000000000000" }, "ERR_UNAUTHENTICATED"],
  ])("%s", async (_name, bent, code) => {
    const { client, order } = await lab.signedIn();
    expect(await codeOf(client.apiToken(order, bent))).toBe(code);
  });

  test("for a login on another person's device", async () => {
    const ada = await lab.signedIn();
    const owner = await lab.signedIn(OWNER);
    const order = { ...ada.order, devicePeerId: owner.order.devicePeerId };
    expect(await codeOf(ada.client.apiToken(order))).toBe("ERR_UNAUTHENTICATED");
  });

  test("after logout", async () => {
    const { client, order } = await lab.signedIn();
    await client.logout();
    expect(await codeOf(client.apiToken(order))).toBe("ERR_LOGIN_REQUIRED");
  });

  test("for a device that waits for approval", async () => {
    const { client, order } = await lab.signedIn();
    await lab.change((tx) =>
      updatePeer(tx, lab.management.accountId, order.devicePeerId, { status: "pending" }),
    );
    expect(await codeOf(client.apiToken(order))).toBe("ERR_ACCESS_DENIED");
  });

  test("from a request that was used before", async () => {
    const { client, order } = await lab.signedIn();
    const challenge = (await client.api.challenge()).challenge;
    await expect(client.apiToken(order, { challenge })).rejects.toThrow();
  });
});
