/** The token of a login that is asked with again: it must name the key, and its `exp` was counted before. */
import { expect, test } from "bun:test";
import { signEd25519, sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { nonceOf } from "../../../src/identity/verify.ts";
import { proveAsker } from "../../../src/management/login/prove-asker.ts";
import { proofHashOf } from "../../../src/management/login/signatures.ts";
import type { LoginProof } from "../../../src/wire/client-api.ts";
import { signedBytes } from "../../../src/wire/signed-fields.ts";
import { aLoginOf, freshRequest, newKey, openLoginLab } from "../../support/login-deps.ts";
import { aPeerOf } from "../../support/management.ts";
import { aToken, type Claims, NOW } from "../../support/tokens.ts";

/** Asks with a token of `claims`, for which a login was made. */
async function asking(claims: Claims) {
  const lab = await openLoginLab();
  const { account, ctx, deps, anna } = lab;
  const loginKey = newKey();
  const deviceKey = newKey();
  const owned = { kind: "device", owner: anna, deviceKey: deviceKey.publicKey } as const;
  const device = await aPeerOf(ctx.store, account.id, owned);
  await aLoginOf(lab, loginKey, { devicePeerId: device.id, issuedAt: Number(claims.iat ?? NOW - 10) });
  const nonce = nonceOf(sshBlobOfEd25519(loginKey.publicKey));
  const proof: LoginProof = { kind: "id_token", idToken: aToken({ claims: { nonce, ...claims } }) };
  const fresh = freshRequest(lab);
  const bytes = signedBytes(
    "api-token",
    { accountId: account.id, origin: ctx.origin },
    {
      ...{ challenge: fresh.challenge, loginKey: loginKey.publicKey, devicePeerId: device.id },
      ...{ proofHash: proofHashOf(proof), timeSeconds: fresh.timeSeconds },
    },
  );
  const request = {
    ...{ ...fresh, loginKey: loginKey.publicKey, devicePeerId: device.id, proof },
    loginSignature: signEd25519(loginKey, bytes),
    deviceSignature: signEd25519(deviceKey, bytes),
  };
  const options = {
    purpose: "api-token",
    fields: {},
    what: "api token",
    sourceAddress: "192.0.2.1",
  } as const;
  return { lab, work: proveAsker(deps, account, request, options), device };
}

test("a token that is long past its exp proves its login, which has an end of its own", async () => {
  const { lab, work, device } = await asking({ iat: NOW - 3_000, exp: NOW - 2_000 });
  const asker = await work;
  expect(asker.user.id).toBe(lab.anna.id);
  expect(asker.device.id).toBe(device.id);
});

test.each([
  ["no key", { nonce: undefined }],
  ["another key", { nonce: nonceOf(sshBlobOfEd25519(newKey().publicKey)) }],
])("a token that names %s proves nothing", async (_name, claims) => {
  const { work } = await asking(claims);
  const error = await work.catch((thrown: unknown) => thrown);
  expect(isQfError(error, "ERR_TOKEN_INVALID")).toBe(true);
});
