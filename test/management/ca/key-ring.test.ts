/** Which of an account's keys sign, and which are believed, while one replaces another. */
import { beforeEach, expect, test } from "bun:test";
import { newCaKey, newTokenKey } from "../../../src/management/ca/account-keys.ts";
import { createKeyRing, type OpenKeyRing } from "../../../src/management/ca/key-ring.ts";
import type { Row } from "../../../src/management/db/schema/schema.ts";
import { insertSigningKeys } from "../../../src/management/db/tables/keys.ts";
import { type LoginLab, openLoginLab } from "../../support/login-deps.ts";

type KeyRow = Row<"signingKeys">;
const masterKey = new Uint8Array(32).fill(9);
let lab: LoginLab;
let ring: OpenKeyRing;
beforeEach(async () => {
  lab = await openLoginLab();
  ring = createKeyRing({ store: lab.ctx.store, masterKey, oidc: lab.ctx.oidc, issuerKeys: null });
});

/** Puts keys in these states in the place of the account's own, oldest first; returns their ids. */
async function put(purpose: "ca" | "token", states: readonly KeyRow["state"][]): Promise<string[]> {
  const make = purpose === "ca" ? newCaKey : newTokenKey;
  const rows = states.map((state, i) => ({ ...make(masterKey, lab.account.id, i), state }));
  await lab.ctx.store.transaction(async (tx) => {
    await tx.sql.delete(tx.t.signingKeys);
    await insertSigningKeys(tx, rows);
  });
  ring.forget();
  return rows.map(({ id }) => id);
}

test("a retired CA is not in force, all others are", async () => {
  const [next, active, retiring] = await put("ca", ["next", "active", "retiring", "retired"]);
  const inForce = (await ring.cas(lab.account.id)).map(({ id }) => id);
  expect(new Set(inForce)).toEqual(new Set([next, active, retiring] as string[]));
});

test.each<[string, readonly KeyRow["state"][], number]>([
  ["the active one among others", ["retiring", "active", "next"], 1],
  ["the newest of two that are active", ["active", "active", "next"], 1],
  ["the active one, although a newer one retires", ["active", "retiring"], 0],
])("signs with %s", async (_name, states, want) => {
  const ids = await put("token", states);
  expect((await ring.signingTokenKey(lab.account.id)).kid).toBe(ids[want] ?? "");
});

test.each<[string, readonly KeyRow["state"][]]>([
  ["none", []],
  ["one that is not in force yet", ["next"]],
  ["one that retires", ["retiring"]],
  ["one that is retired", ["retired"]],
])("signs with nothing where there is %s", async (_name, states) => {
  await put("ca", states);
  expect(ring.signingCa(lab.account.id)).rejects.toMatchObject({ code: "ERR_NOT_INITIALISED" });
});

test("a token key that is retired verifies nothing", async () => {
  const [active] = await put("token", ["active", "retired"]);
  expect((await ring.tokenKeys(lab.account.id)).map(({ kid }) => kid)).toEqual([active ?? ""]);
});
