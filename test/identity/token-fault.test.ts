/** Each cause its sentence: what a person reads when a token is not taken, and what the log says. */
import { expect, test } from "bun:test";
import { sentenceOfFault, shown, tokenFault } from "../../src/identity/token-fault.ts";
import { type IdTokenQuestion, verifyIdToken } from "../../src/identity/verify.ts";
import {
  AUDIENCE,
  anIdTokenQuestion,
  aProviderKey,
  aToken,
  aTrustedIssuer,
  type Claims,
  encode,
  ISSUER,
  NOW,
  providerKeys,
  signTexts,
  someClaims,
} from "../support/tokens.ts";

interface Row {
  readonly name: string;
  readonly claims?: Claims;
  readonly header?: Claims;
  readonly change?: Partial<IdTokenQuestion>;
  /** The check, what was expected and what came, as the log has them. */
  readonly want: readonly [check: string, expected: string, got: string];
  readonly sentence: string;
}

test.each<Row>([
  {
    name: "RS512",
    header: { alg: "RS512" },
    want: ["algorithm", "RS256, PS256, ES256, EdDSA", "RS512"],
    sentence: "the identity provider signs with RS512, which is not taken",
  },
  {
    name: "ES384",
    header: { alg: "ES384" },
    want: ["algorithm", "RS256, PS256, ES256, EdDSA", "ES384"],
    sentence: "the identity provider signs with ES384, which is not taken",
  },
  {
    name: "a shared secret",
    header: { alg: "HS256" },
    want: ["algorithm", "RS256, PS256, ES256, EdDSA", "HS256"],
    sentence: "the identity provider signs with HS256, which is not taken",
  },
  {
    name: "a token of another kind",
    header: { typ: "at+jwt" },
    want: ["type", "typ JWT", "at+jwt"],
    sentence: "the identity provider gave a token that is no ID token",
  },
  {
    name: "an issuer with a slash",
    claims: { iss: `${ISSUER}/` },
    want: ["issuer", ISSUER, `${ISSUER}/`],
    sentence: `the token is by ${ISSUER}/, another issuer`,
  },
  {
    name: "another audience",
    claims: { aud: ["account", "other"] },
    want: ["audience", AUDIENCE, '["account","other"]'],
    sentence: "the token is for another client",
  },
  {
    name: "another client",
    claims: { aud: [AUDIENCE], azp: "grafana" },
    want: ["azp", AUDIENCE, "grafana"],
    sentence: "the token was given to another client",
  },
  {
    name: "several audiences and no client",
    claims: { aud: [AUDIENCE, "other"] },
    want: ["azp", AUDIENCE, "nothing"],
    sentence: "the token was given to another client",
  },
  {
    name: "no keys at all",
    change: { issuers: [aTrustedIssuer({ keys: [] })] },
    want: ["keys", "keys of the issuer", "none"],
    sentence: "the identity provider's keys are not known",
  },
  {
    name: "a key that is not published",
    header: { kid: "next" },
    want: ["key", "one of ed, ec, rsa, pss", "next (EdDSA)"],
    sentence: "the token is signed with a key that the identity provider does not publish",
  },
  {
    name: "no subject",
    claims: { sub: undefined },
    want: ["subject", "sub", "nothing"],
    sentence: "the token does not say who the person is: sub is missing",
  },
  {
    name: "no user id claim",
    change: { issuers: [aTrustedIssuer({ userIdClaim: "oid" })] },
    want: ["subject", "oid", "nothing"],
    sentence: "the token does not say who the person is: oid is missing",
  },
  {
    name: "no nonce",
    claims: { nonce: undefined },
    want: ["nonce", String(someClaims().nonce), "nothing"],
    sentence: "the identity provider leaves the nonce out of its token",
  },
  {
    name: "another nonce",
    claims: { nonce: "of another" },
    want: ["nonce", String(someClaims().nonce), "of another"],
    sentence: "the token belongs to another sign-in",
  },
  {
    name: "a logout token",
    claims: { events: {} },
    want: ["kind", "no events", "{}"],
    sentence: "the identity provider gave a logout token",
  },
  {
    name: "times in milliseconds",
    claims: { exp: `${NOW}000` },
    want: ["times", "exp in seconds", `${NOW}000`],
    sentence: "the times in the token make no sense",
  },
  {
    name: "a clock 61 s ahead",
    claims: { nbf: NOW + 61 },
    want: ["not_yet_valid", `at most 60 s after ${NOW}`, `${NOW + 61} (61 s ahead)`],
    sentence: "the identity provider's clock is ahead of this one",
  },
  {
    name: "a sign-in of yesterday",
    claims: { iat: NOW - 50_000 },
    want: ["too_old", "at most 43200 s old", "50000 s"],
    sentence: "the sign-in is too old",
  },
  {
    name: "an end 61 s ago",
    claims: { iat: NOW - 361, exp: NOW - 61 },
    change: { mode: "claiming" },
    want: ["expired", `exp at most 60 s before ${NOW}`, `${NOW - 61} (61 s ago)`],
    sentence: "the identity provider's token has expired",
  },
])("a token with $name is refused in its own words", async ({ claims, header, change, want, sentence }) => {
  const token = aToken({ ...(claims ? { claims } : {}), ...(header ? { header } : {}) });
  const verdict = await verifyIdToken(anIdTokenQuestion(token, change));
  if (verdict.ok) throw new Error("it was taken");
  const { check, expected, got } = verdict.fault;
  expect([check, expected, got]).toEqual([...want]);
  expect(sentenceOfFault(verdict.fault).message).toBe(sentence);
});

/** One tolerance, at both ends, wherever a token is judged. */
test.each<[claims: Claims, want: boolean]>([
  [{ iat: NOW - 340, exp: NOW - 40 }, true],
  [{ nbf: NOW + 40 }, true],
  [{ iat: NOW + 40 }, true],
  [{ auth_time: NOW + 40 }, true],
  [{ iat: NOW - 361, exp: NOW - 61 }, false],
  [{ nbf: NOW + 61 }, false],
])("a token with %p is taken at claiming: %p", async (claims, want) => {
  const verdict = await verifyIdToken(anIdTokenQuestion(aToken({ claims }), { mode: "claiming" }));
  expect(verdict.ok).toBe(want);
});

test("a forged signature and a bent token are told apart, and neither is believed", async () => {
  const forged = aToken({ key: { ...aProviderKey("EdDSA", "ed") } });
  const first = await verifyIdToken(anIdTokenQuestion(forged));
  expect(first.ok ? "" : first.fault.check).toBe("signature");
  const bent = signTexts(providerKeys.EdDSA, '{"alg":"EdDSA","jwk":{}}', "{}");
  const second = await verifyIdToken(anIdTokenQuestion(bent));
  expect(second.ok ? "" : second.fault).toMatchObject({ check: "form", got: "jwk" });
  const none = await verifyIdToken(anIdTokenQuestion(`${encode("{}")}.${encode("{}")}.${encode("x")}`));
  expect(none.ok ? "" : none.fault).toMatchObject({ check: "algorithm", got: "nothing" });
  const text = await verifyIdToken(anIdTokenQuestion("not a token"));
  expect(text.ok ? "" : text.fault.check).toBe("form");
});

test("text of a token is one bounded line", () => {
  expect(shown("a\u001b[31m\nb")).toBe("a [31m b");
  expect(shown("x".repeat(999))).toHaveLength(200);
  expect(shown(null)).toBe("null");
  expect(tokenFault("azp", "qf", { a: 1 }).got).toBe('{"a":1}');
});
