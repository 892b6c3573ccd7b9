import { expect, test } from "bun:test";
import { generateEd25519, sshBlobOfEd25519 } from "../../src/base/ed25519.ts";
import { type IdTokenQuestion, nonceOf, verifyIdToken } from "../../src/identity/verify.ts";
import {
  type Algorithm,
  AUDIENCE,
  anIdTokenQuestion,
  aToken,
  aTrustedIssuer,
  type Claims,
  ISSUER,
  NOW,
  providerKeys,
} from "../support/tokens.ts";

const other = sshBlobOfEd25519(generateEd25519().publicKey);

async function outcome(token: string, changes: Partial<IdTokenQuestion> = {}): Promise<string> {
  const verdict = await verifyIdToken(anIdTokenQuestion(token, changes));
  return verdict.ok ? verdict.binding : verdict.reason;
}

test.each<Algorithm>(["EdDSA", "ES256", "RS256", "PS256"])(
  "verifyIdToken accepts a token by %s",
  async (alg) => {
    expect(await verifyIdToken(anIdTokenQuestion(aToken({ key: providerKeys[alg] })))).toMatchObject({
      ok: true,
      issuer: ISSUER,
      subject: "anna-1",
      binding: "idp",
      claims: {
        authTimeSeconds: NOW - 20,
        issuedAtSeconds: NOW - 10,
        expSeconds: NOW + 3590,
        email: "anna@example.com",
        name: "Anna",
      },
    });
  },
);

test.each<[string, Claims]>([
  ["one audience in a list", { aud: [AUDIENCE] }],
  ["another audience, and azp ours", { aud: ["someone-else", AUDIENCE], azp: AUDIENCE }],
  ["azp ours beside one audience", { azp: AUDIENCE }],
  ["no auth_time", { auth_time: undefined }],
  ["times with a fraction", { iat: NOW - 10.5, exp: NOW + 10.5 }],
  ["the last tolerated second of a clock ahead", { iat: NOW + 60 }],
  ["an nbf that has passed", { nbf: NOW }],
  ["an expired token, since exp was counted at claiming", { iat: NOW - 5000, exp: NOW - 4000 }],
  ["the last second of the login cap", { iat: NOW - 43_260 }],
  ["a subject of 512 characters", { sub: "s".repeat(512) }],
])("verifyIdToken accepts %s", async (_, claims) => {
  expect(await outcome(aToken({ claims }))).toBe("idp");
});

// Every row differs from an accepted token in one claim, and its signature is good.
test.each<[string, Claims, string]>([
  ["another issuer", { iss: "https://evil.example.com" }, "token_invalid"],
  ["the issuer with a slash", { iss: `${ISSUER}/` }, "token_invalid"],
  ["the issuer in other case", { iss: ISSUER.toUpperCase() }, "token_invalid"],
  ["the issuer in a list", { iss: [ISSUER] }, "token_invalid"],
  ["no issuer", { iss: undefined }, "token_invalid"],
  ["another audience", { aud: "someone-else" }, "token_invalid"],
  ["an audience that begins like ours", { aud: `${AUDIENCE}2` }, "token_invalid"],
  ["no audience", { aud: undefined }, "token_invalid"],
  ["an empty list of audiences", { aud: [] }, "token_invalid"],
  ["an audience in a list in a list", { aud: [[AUDIENCE]] }, "token_invalid"],
  ["our audience beside a number", { aud: [AUDIENCE, 1], azp: AUDIENCE }, "token_invalid"],
  ["17 audiences", { aud: Array(17).fill(AUDIENCE), azp: AUDIENCE }, "token_invalid"],
  ["several audiences without azp", { aud: [AUDIENCE, "someone-else"] }, "token_invalid"],
  ["several audiences with another azp", { aud: [AUDIENCE, "x"], azp: "x" }, "token_invalid"],
  ["another azp beside one audience", { azp: "someone-else" }, "token_invalid"],
  ["an azp that is a list", { azp: [AUDIENCE] }, "token_invalid"],
  ["an azp of null", { azp: null }, "token_invalid"],
  ["azp ours but another audience", { aud: "someone-else", azp: AUDIENCE }, "token_invalid"],
  ["no subject", { sub: undefined }, "token_invalid"],
  ["an empty subject", { sub: "" }, "token_invalid"],
  ["a subject that is a number", { sub: 1 }, "token_invalid"],
  ["a subject that is a list", { sub: ["anna-1"] }, "token_invalid"],
  ["a subject of 513 characters", { sub: "s".repeat(513) }, "token_invalid"],
  ["no iat", { iat: undefined }, "token_invalid"],
  ["an iat in text", { iat: String(NOW) }, "token_invalid"],
  ["an iat of null", { iat: null }, "token_invalid"],
  ["a negative iat", { iat: -1 }, "token_invalid"],
  ["an iat beyond all time", { iat: 1e300, exp: 1e301 }, "token_invalid"],
  ["an iat in the future", { iat: NOW + 61 }, "clock_skew"],
  ["an iat in milliseconds", { iat: NOW * 1000, exp: NOW * 1000 + 1 }, "token_invalid"],
  ["no exp", { exp: undefined }, "token_invalid"],
  ["an exp in text", { exp: String(NOW + 100) }, "token_invalid"],
  ["an exp before iat", { exp: NOW - 11 }, "token_invalid"],
  ["an nbf in the future", { nbf: NOW + 61 }, "clock_skew"],
  ["an nbf in text", { nbf: "0" }, "token_invalid"],
  ["an auth_time in the future", { auth_time: NOW + 61 }, "clock_skew"],
  ["an auth_time in text", { auth_time: String(NOW) }, "token_invalid"],
  ["an age above the login cap", { iat: NOW - 43_261 }, "token_too_old"],
  ["no nonce", { nonce: undefined }, "token_invalid"],
  ["another nonce", { nonce: nonceOf(other) }, "token_invalid"],
  ["an empty nonce", { nonce: "" }, "token_invalid"],
  ["a nonce of null", { nonce: null }, "token_invalid"],
  ["a nonce in a list", { nonce: [nonceOf(other)] }, "token_invalid"],
  ["events, as a logout token has", { events: {} }, "token_invalid"],
])("verifyIdToken refuses %s", async (_, claims, reason) => {
  expect(await outcome(aToken({ claims }))).toBe(reason);
});

test.each<[string, Partial<IdTokenQuestion>, Claims, string]>([
  ["a token for another login key", { loginKeyBlob: other }, {}, "token_invalid"],
  ["an issuer it does not trust", { issuers: [] }, {}, "token_invalid"],
  ["an issuer without keys", { issuers: [aTrustedIssuer({ keys: [] })] }, {}, "token_invalid"],
  ["an audience of another issuer", { issuers: twoIssuers() }, { aud: "second" }, "token_invalid"],
  [
    "keys of another issuer",
    { issuers: twoIssuers() },
    { iss: "https://b.example.com", aud: "second" },
    "token_invalid",
  ],
  [
    "an expired token where exp counts",
    { requireUnexpired: true },
    { exp: NOW - 60, iat: NOW - 90 },
    "token_too_old",
  ],
  ["an expired token at claiming", { mode: "claiming" }, { exp: NOW - 60, iat: NOW - 90 }, "token_too_old"],
  ["too old a token at claiming", { mode: "claiming" }, { iat: NOW - 43_261 }, "token_too_old"],
  ["another nonce at claiming", { mode: "claiming" }, { nonce: nonceOf(other) }, "token_invalid"],
  ["an empty nonce at claiming", { mode: "claiming" }, { nonce: "" }, "token_invalid"],
  ["a nonce of null at claiming", { mode: "claiming" }, { nonce: null }, "token_invalid"],
  ["a logout token at claiming", { mode: "claiming" }, { nonce: undefined, events: {} }, "token_invalid"],
  ["a cap that has passed", { loginSecondsMax: 0 }, { iat: NOW - 61 }, "token_too_old"],
])("verifyIdToken refuses %s, whatever else is right", async (_, changes, claims, reason) => {
  expect(await outcome(aToken({ claims }), changes)).toBe(reason);
});

test.each<[string, Partial<IdTokenQuestion>, Claims, string]>([
  ["a token that names the login key", { mode: "claiming" }, {}, "idp"],
  ["a token without a nonce", { mode: "claiming" }, { nonce: undefined }, "ca"],
  ["a token in its last tolerated second", { mode: "claiming" }, { iat: NOW - 90, exp: NOW - 59 }, "idp"],
  ["an unexpired token where exp counts", { requireUnexpired: true }, {}, "idp"],
])("verifyIdToken takes %s", async (_, changes, claims, binding) => {
  expect(await outcome(aToken({ claims }), changes)).toBe(binding);
});

test.each<[string, Claims, string]>([
  ["oid", { oid: "4711", email_verified: false }, "4711"],
  ["email", { email: "anna@example.com", email_verified: true }, "anna@example.com"],
  ["email", { email: "anna@example.com", email_verified: "true" }, "anna@example.com"],
  ["email", { email: "anna@example.com", email_verified: false }, "token_invalid"],
  ["email", { email: "anna@example.com", email_verified: "false" }, "token_invalid"],
  ["email", { email: "anna@example.com", email_verified: undefined }, "token_invalid"],
  ["email", { email: "anna@example.com", email_verified: 1 }, "token_invalid"],
  ["email", { email: "anna@example.com", email_verified: ["true"] }, "token_invalid"],
  ["oid", {}, "token_invalid"],
  ["oid", { oid: "" }, "token_invalid"],
  ["oid", { oid: 4711 }, "token_invalid"],
  ["oid", { oid: "4711", sub: undefined }, "token_invalid"],
  ["toString", {}, "token_invalid"],
  ["constructor", {}, "token_invalid"],
  ["__proto__", {}, "token_invalid"],
])("verifyIdToken names the person by the claim %s", async (userIdClaim, claims, want) => {
  const issuers = [aTrustedIssuer({ userIdClaim })];
  const verdict = await verifyIdToken(anIdTokenQuestion(aToken({ claims }), { issuers }));
  expect(verdict.ok ? verdict.subject : verdict.reason).toBe(want);
});

test.each<[string, Claims, string]>([
  ["the client as azp beside an audience that is a project", { azp: "cli" }, "idp"],
  ["no azp beside one audience", {}, "idp"],
  ["the project as azp", { azp: AUDIENCE }, "token_invalid"],
  ["another client as azp", { azp: "other" }, "token_invalid"],
  ["the client as the only audience", { aud: "cli", azp: "cli" }, "token_invalid"],
])("verifyIdToken, where clients are named apart from audiences, reads %s", async (_, claims, want) => {
  expect(await outcome(aToken({ claims }), { issuers: [aTrustedIssuer({ clients: ["cli"] })] })).toBe(want);
});

test("verifyIdToken leaves out an e-mail address or name that is no text", async () => {
  const verdict = await verifyIdToken(
    anIdTokenQuestion(aToken({ claims: { email: ["root@example.com"], name: "n".repeat(255) } })),
  );
  expect(verdict.ok && "email" in verdict.claims).toBe(false);
  expect(verdict.ok && "name" in verdict.claims).toBe(false);
});

test("verifyIdToken leaves out an empty e-mail address or name", async () => {
  const verdict = await verifyIdToken(anIdTokenQuestion(aToken({ claims: { email: "", name: "" } })));
  expect(verdict.ok && "email" in verdict.claims).toBe(false);
  expect(verdict.ok && "name" in verdict.claims).toBe(false);
});

test("verifyIdToken says nothing of the claims before the signature is good", async () => {
  const [header, , signature] = aToken().split(".");
  const old = aToken({ claims: { iat: NOW - 99_999 } }).split(".")[1];
  expect(await outcome(`${header}.${old}.${signature}`)).toBe("token_invalid");
});

function twoIssuers() {
  return [
    aTrustedIssuer(),
    aTrustedIssuer({ issuer: "https://b.example.com", audiences: ["second"], keys: [] }),
  ];
}
