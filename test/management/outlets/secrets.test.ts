import { expect, test } from "bun:test";
import { openOutletSecret, sealOutletSecret } from "../../../src/management/outlets/secrets.ts";

const MASTER_KEY = new Uint8Array(32).fill(7);
const owner = { id: "o1", accountId: "a1" };

test("a secret opens for its own outlet, and not where its row was copied to", () => {
  const secret = sealOutletSecret(MASTER_KEY, owner, "whsec_x");
  expect(secret).not.toContain("whsec");
  expect(openOutletSecret(MASTER_KEY, { ...owner, secret })).toBe("whsec_x");
  for (const other of [{ id: "o2" }, { accountId: "a2" }, { secret: null }]) {
    expect(() => openOutletSecret(MASTER_KEY, { ...owner, secret, ...other })).toThrow();
  }
});
