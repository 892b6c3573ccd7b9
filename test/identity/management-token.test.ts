import { expect, test } from "bun:test";
import { SignJWT } from "jose";
import { generateEd25519, sshBlobOfEd25519 } from "../../src/base/ed25519.ts";
import {
  type ManagementTokenOrder,
  type ManagementTokenQuestion,
  signManagementToken,
  verifyManagementToken,
} from "../../src/identity/management-token.ts";
import { nonceOf, verifyIdToken } from "../../src/identity/verify.ts";
import { MANAGEMENT_TOKEN_TYPE } from "../../src/wire/certificate.ts";
import { anIdTokenQuestion, aToken, managementTokenJwk, NOW, providerKeys } from "../support/tokens.ts";

const ORIGIN = "https://qf.example.com";
const MACHINE = "machine0000000000000";
const key = generateEd25519();
const loginKey = generateEd25519();
const otherKey = generateEd25519();
const jwk = managementTokenJwk("k1", key.publicKey);

const order: ManagementTokenOrder = {
  signingKey: { kid: "k1", key },
  origin: ORIGIN,
  userId: "user0000000000000000",
  targetPeerId: MACHINE,
  loginKey: loginKey.publicKey,
  binding: "ca",
  nowSeconds: NOW,
};

async function outcome(token: string, changes: Partial<ManagementTokenQuestion> = {}): Promise<string> {
  const verdict = await verifyManagementToken({
    token,
    keys: [jwk],
    origin: ORIGIN,
    selfPeerId: MACHINE,
    loginKey: loginKey.publicKey,
    nowSeconds: NOW,
    ...changes,
  });
  return verdict.ok ? `${verdict.userId} ${verdict.binding}` : verdict.reason;
}

/** A token of the right key over claims of the right shape, but for `changes`. */
async function tokenWith(
  changes: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> {
  const signed = await signManagementToken(order);
  const claims = JSON.parse(Buffer.from(signed.split(".")[1] ?? "", "base64url").toString());
  return new SignJWT({ ...claims, ...changes })
    .setProtectedHeader({ alg: "EdDSA", typ: MANAGEMENT_TOKEN_TYPE, kid: "k1", ...header })
    .sign(key.privateKeyObject);
}

test.each<ManagementTokenOrder["binding"]>(["idp", "ca", "service", "device"])(
  "verifyManagementToken reads back who and how (%s)",
  async (binding) => {
    const token = await signManagementToken({ ...order, binding });
    expect(await outcome(token)).toBe(`user0000000000000000 ${binding}`);
  },
);

test("signManagementToken never makes the same token twice", async () => {
  expect(await signManagementToken(order)).not.toBe(await signManagementToken(order));
});

test.each<[string, Partial<ManagementTokenQuestion>, string]>([
  ["at another machine", { selfPeerId: "machine0000000000001" }, "wrong_target"],
  ["with another login key", { loginKey: otherKey.publicKey }, "token_invalid"],
  ["of another management", { origin: "https://other.example.com" }, "token_invalid"],
  ["with no key", { keys: [] }, "token_invalid"],
  [
    "with another key of that name",
    { keys: [managementTokenJwk("k1", otherKey.publicKey)] },
    "token_invalid",
  ],
  ["with the key under another name", { keys: [managementTokenJwk("k2", key.publicKey)] }, "token_invalid"],
  ["a second too late", { nowSeconds: NOW + 180 }, "token_too_old"],
  ["a second too early", { nowSeconds: NOW - 61 }, "clock_skew"],
])("verifyManagementToken refuses a token %s", async (_, changes, reason) => {
  expect(await outcome(await signManagementToken(order), changes)).toBe(reason);
});

test("verifyManagementToken tolerates a minute either way", async () => {
  const token = await signManagementToken(order);
  expect(await outcome(token, { nowSeconds: NOW + 179 })).toStartWith("user");
  expect(await outcome(token, { nowSeconds: NOW - 60 })).toStartWith("user");
});

test.each<[string, Record<string, unknown>]>([
  ["another iss", { iss: `${ORIGIN}/idp` }],
  ["a list of audiences", { aud: [MACHINE] }],
  ["no audience", { aud: undefined }],
  ["a sub that is no user id", { sub: "anna" }],
  ["no sub", { sub: undefined }],
  ["no cnf", { cnf: undefined }],
  ["another cnf", { cnf: { jkt: "A".repeat(43) } }],
  ["a cnf with more in it", { cnf: { jkt: "A".repeat(43), jwk: {} } }],
  ["no iat", { iat: undefined }],
  ["no exp", { exp: undefined }],
  ["an exp that is not after iat", { exp: NOW }],
  ["a longer life than 120 s", { exp: NOW + 121 }],
  ["no jti", { jti: undefined }],
  ["an unknown binding", { binding: "root" }],
  ["no binding", { binding: undefined }],
])("verifyManagementToken refuses a well signed token with %s", async (_, changes) => {
  expect(await outcome(await tokenWith({}))).toStartWith("user");
  expect(await outcome(await tokenWith(changes))).toBe("token_invalid");
});

test.each<[string, Record<string, unknown>]>([
  ["typ JWT", { typ: "JWT" }],
  ["no typ", { typ: undefined }],
  ["typ in other case", { typ: MANAGEMENT_TOKEN_TYPE.toUpperCase() }],
  ["typ as media type", { typ: `application/${MANAGEMENT_TOKEN_TYPE}` }],
  ["no kid", { kid: undefined }],
  ["a jwk", { jwk }],
])("verifyManagementToken refuses a well signed token with %s in its header", async (_, header) => {
  expect(await outcome(await tokenWith({}, header))).toBe("token_invalid");
});

test("verifyManagementToken takes EdDSA only, whatever keys it is given", async () => {
  const signed = await signManagementToken(order);
  const claims = JSON.parse(Buffer.from(signed.split(".")[1] ?? "", "base64url").toString());
  const token = aToken({
    key: providerKeys.RS256,
    header: { typ: MANAGEMENT_TOKEN_TYPE },
    claims: { ...claims, nonce: undefined, auth_time: undefined },
  });
  expect(await outcome(token, { keys: [providerKeys.RS256.jwk] })).toBe("token_invalid");
});

test("an ID token is never management's own, nor the other way, with the same key and claims", async () => {
  expect(await outcome(aToken(), { keys: [providerKeys.EdDSA.jwk] })).toBe("token_invalid");

  const loginKeyBlob = sshBlobOfEd25519(loginKey.publicKey);
  const issuers = [{ issuer: ORIGIN, audiences: [MACHINE], userIdClaim: "sub", keys: [jwk] }];
  const nonce = nonceOf(loginKeyBlob);
  const ask = (token: string) => verifyIdToken(anIdTokenQuestion(token, { issuers, loginKeyBlob }));
  expect(await ask(await tokenWith({ nonce }))).toMatchObject({
    ok: false,
    reason: "token_invalid",
    fault: { check: "type" },
  });
  expect(await ask(await tokenWith({ nonce }, { typ: "JWT" }))).toMatchObject({ ok: true });
});
