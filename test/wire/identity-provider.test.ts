import { expect, test } from "bun:test";
import {
  ProviderDocument,
  ProviderErrorAnswer,
  SignatureJwk,
  TokenAnswer,
} from "../../src/wire/identity-provider.ts";
import { testShape } from "../support/shapes.ts";

const origin = "https://idp.example.com";
const document = {
  issuer: origin,
  authorization_endpoint: `${origin}/authorize`,
  token_endpoint: `${origin}/token`,
  jwks_uri: `${origin}/keys`,
};

testShape("a discovery document", ProviderDocument, document, {
  strict: false,
  changes: [
    { issuer: undefined },
    { token_endpoint: "javascript:alert(1)" },
    { jwks_uri: "https://user:pass@idp.example.com/keys" },
    { authorization_endpoint: `${origin}/authorize#fragment` },
  ],
});

test("a list that makes no sense counts as absent", () => {
  const read = ProviderDocument.parse({ ...document, scopes_supported: "openid", claims_supported: ["sub"] });
  expect(read.scopes_supported).toBeUndefined();
  expect(read.claims_supported).toEqual(["sub"]);
});

testShape(
  "an answer to a code",
  TokenAnswer,
  { id_token: "a.b.c" },
  {
    strict: false,
    changes: [{ id_token: "" }, { id_token: undefined }, { access_token: "t".repeat(65_537) }],
  },
);
testShape(
  "a refusal",
  ProviderErrorAnswer,
  { error: "invalid_grant", error_description: "used" },
  {
    strict: false,
    changes: [{ error: "" }, { error: undefined }, { error_description: 1 }],
  },
);

test.each([
  { kty: "RSA", n: "n".repeat(342), e: "AQAB", alg: "RS256", use: "sig" },
  { kty: "EC", crv: "P-256", x: "x", y: "y" },
  { kty: "OKP", crv: "Ed25519", x: "x", kid: "1" },
])("a key of kind $kty is taken without what is private in it", (key) => {
  expect(SignatureJwk.parse({ ...key, d: "secret", p: "secret" })).toEqual(key as never);
});

test.each([
  { kty: "oct", k: "secret" },
  { kty: "RSA", n: "n".repeat(341), e: "AQAB" },
  { kty: "EC", crv: "P-521", x: "x", y: "y" },
  { kty: "OKP", crv: "X25519", x: "x" },
  { kty: "RSA", n: "n".repeat(342), e: "AQAB", use: "enc" },
])("a key %j is of no use", (key) => {
  expect(SignatureJwk.safeParse(key).success).toBe(false);
});
