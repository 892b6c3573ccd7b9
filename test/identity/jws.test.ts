/** The JWS confusion corpus: what got past other verifiers, each tried against `verifyIdToken`. */
import { expect, test } from "bun:test";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { verifyIdToken } from "../../src/identity/verify.ts";
import { MANAGEMENT_TOKEN_TYPE } from "../../src/wire/certificate.ts";
import type { PublicJwk } from "../../src/wire/network-map.ts";
import {
  type Algorithm,
  anIdTokenQuestion,
  aProviderKey,
  aToken,
  aTrustedIssuer,
  type Claims,
  encode,
  type ProviderKey,
  providerKeys,
  signBytes,
  signTexts,
  someClaims,
} from "../support/tokens.ts";

const ALGORITHMS: readonly Algorithm[] = ["EdDSA", "ES256", "RS256", "PS256"];
const attacker = aProviderKey("RS256", "rsa");
const good = aToken();
const payload = JSON.stringify(someClaims());

async function isAccepted(token: string, keys?: readonly PublicJwk[]): Promise<boolean> {
  const issuers = [keys === undefined ? aTrustedIssuer() : aTrustedIssuer({ keys: [...keys] })];
  return (await verifyIdToken(anIdTokenQuestion(token, { issuers }))).ok;
}

/** Header and claims as given; the signature is `key`'s, whatever the header says. */
function forged(key: ProviderKey, header: Claims): string {
  const input = `${encode(JSON.stringify(header))}.${encode(payload)}`;
  return `${input}.${encode(signBytes(key, input))}`;
}

test.each<[string, Claims]>([
  ["an unchanged header", {}],
  ["no typ", { typ: undefined }],
  ["a typ in small letters", { typ: "jwt" }],
  ["members that say nothing of the key", { x5t: "abc", foo: 1 }],
])("a token with %s is accepted", async (_, header) => {
  expect(await isAccepted(aToken({ header }))).toBe(true);
});

test.each<[string, Claims]>([
  ["alg none", { alg: "none" }],
  ["alg NONE", { alg: "NONE" }],
  ["alg HS256", { alg: "HS256" }],
  ["alg ES384", { alg: "ES384" }],
  ["alg RS1", { alg: "RS1" }],
  ["alg Ed25519, which is not on the list", { alg: "Ed25519" }],
  ["alg in a list", { alg: ["EdDSA"] }],
  ["no alg", { alg: undefined }],
  ["alg __proto__", { alg: "__proto__" }],
  ["alg in other case", { alg: "eddsa" }],
  ["alg with a blank", { alg: "EdDSA " }],
  ["typ of an access token", { typ: "at+jwt" }],
  ["typ of a logout token", { typ: "logout+jwt" }],
  ["typ of management's own token", { typ: MANAGEMENT_TOKEN_TYPE }],
  ["an empty typ", { typ: "" }],
  ["a typ in a list", { typ: ["JWT"] }],
  ["an unknown kid", { kid: "other" }],
  ["the kid of a key of another type", { kid: "ec" }],
  ["an empty kid", { kid: "" }],
  ["a kid that is a path", { kid: "../../../../dev/null" }],
  ["a kid that is a URL", { kid: "https://evil.example.com/jwks" }],
  ["a kid that is SQL", { kid: "x' UNION SELECT 'a" }],
  ["a kid of __proto__", { kid: "__proto__" }],
  ["a kid of constructor", { kid: "constructor" }],
  ["a kid in a list", { kid: ["ed"] }],
  ["a kid that is a number", { kid: 0 }],
  ["a kid of null", { kid: null }],
  ["a kid with NUL after it", { kid: "ed\0" }],
  ["a kid of 257 characters", { kid: "e".repeat(257) }],
  ["b64 false with crit", { b64: false, crit: ["b64"] }],
  ["b64 false without crit", { b64: false }],
  ["an empty crit", { crit: [] }],
  ["crit of something unknown", { crit: ["x"], x: 1 }],
  ["crit of something known", { crit: ["alg"] }],
  ["a JWK, even the right one", { jwk: providerKeys.EdDSA.jwk }],
  ["a jku", { jku: "https://evil.example.com/jwks" }],
  ["an x5u", { x5u: "https://evil.example.com/cert" }],
  ["an x5c", { x5c: ["MIIB"] }],
  ["a cty, for a token inside", { cty: "JWT" }],
  ["zip", { zip: "DEF" }],
  ["enc", { enc: "A256GCM" }],
])("a token with %s is refused", async (_, header) => {
  expect(await isAccepted(aToken({ header }))).toBe(false);
});

const rsaPem = providerKeys.RS256.publicKey.export({ format: "pem", type: "spki" });
const rsaDer = providerKeys.RS256.publicKey.export({ format: "der", type: "spki" });
const hmac = (secret: string | Buffer, header: Claims): string => {
  const input = `${encode(JSON.stringify(header))}.${encode(payload)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
};

test.each<[string, string]>([
  ["unsigned with alg none", `${encode('{"alg":"none","kid":"ed"}')}.${encode(payload)}.`],
  ["with alg none and some signature", `${encode('{"alg":"none","kid":"ed"}')}.${encode(payload)}.AA`],
  ["signed by HS256 with the PEM of the public key", hmac(rsaPem.toString(), { alg: "HS256", kid: "rsa" })],
  ["signed by HS256 with the DER of the public key", hmac(rsaDer, { alg: "HS256", kid: "rsa" })],
  ["signed by HS256 with the modulus", hmac(String(providerKeys.RS256.jwk.n), { alg: "HS256", kid: "rsa" })],
  ["signed by HS256 with an empty secret", hmac("", { alg: "HS256", kid: "rsa" })],
  ["HMAC under the name of RS256", hmac(rsaPem.toString(), { alg: "RS256", kid: "rsa" })],
  ["by another key under the same kid", forged(attacker, { alg: "RS256", kid: "rsa" })],
  ["by the key in its own header", forged(attacker, { alg: "RS256", jwk: attacker.jwk })],
  [
    "by the key in its own header under our kid",
    forged(attacker, { alg: "RS256", kid: "rsa", jwk: attacker.jwk }),
  ],
  ["by RS256 under the name of PS256", forged(providerKeys.RS256, { alg: "PS256", kid: "rsa" })],
  ["by PS256 under the name of RS256", forged(providerKeys.PS256, { alg: "RS256", kid: "pss" })],
  [
    "by PS256 with a key for RS256",
    forged({ ...providerKeys.RS256, alg: "PS256" }, { alg: "PS256", kid: "rsa" }),
  ],
  ["by ES256 under the name of EdDSA", forged(providerKeys.ES256, { alg: "EdDSA", kid: "ec" })],
  ["of zeros with ES256", `${headed("ES256", "ec")}.${encode(Buffer.alloc(64))}`],
  ["of r = s = n with ES256", `${headed("ES256", "ec")}.${encode(groupOrderTwice())}`],
  ["in DER with ES256", `${headed("ES256", "ec")}.${encode(derSignature(headed("ES256", "ec")))}`],
  ["of zeros with EdDSA", `${headed("EdDSA", "ed")}.${encode(Buffer.alloc(64))}`],
  ["of zeros with RS256", `${headed("RS256", "rsa")}.${encode(Buffer.alloc(256))}`],
  ["that is empty", `${headed("EdDSA", "ed")}.`],
  ["that is left out", headed("EdDSA", "ed")],
  ["in the general JSON serialisation", general()],
  ["in the flattened JSON serialisation", flattened()],
  ["inside another token", signTexts(providerKeys.EdDSA, '{"alg":"EdDSA","kid":"ed"}', good)],
  ["with a fourth part", `${good}.AA`],
  ["with five parts, as JWE has", `${good}.AA.AA`],
  ["with a space before", ` ${good}`],
  ["with a line break after", `${good}\n`],
  ["with a tab between", good.replace(".", ".\t")],
  ["with padding", `${good}=`],
  ["with padding in the header", good.replace(".", "=.")],
  ["in base64 instead of base64url", inBase64()],
  ["with NUL after", `${good}\0`],
  ["with a letter more", `${good}A`],
  ["with stray bits in the last letter", strayBits(good)],
  ["with its payload detached", good.replace(/\..*\./, "..")],
  ["that is empty text", ""],
  ["that is three dots", "..."],
  ["longer than 20,480 bytes", aToken({ claims: { fill: "f".repeat(20_000) } })],
  ["as Bearer", `Bearer ${good}`],
])("a token %s is refused", async (_, token) => {
  expect(await isAccepted(token)).toBe(false);
});

test.each<[string, string | Uint8Array]>([
  ["a claim twice", payload.replace("{", '{"sub":"root-1",')],
  ["a claim twice, once escaped", payload.replace("{", '{"\\u0073ub":"root-1",')],
  ["a claim twice further in", payload.replace("{", '{"x":{"a":1,"a":2},')],
  ["text after its end", `${payload}{}`],
  ["a byte order mark", `\ufeff${payload}`],
  ["bytes that are not UTF-8", Buffer.from(payload.replace("Anna", "Ann\u00e4"), "latin1")],
  ["a list of claims", `[${payload}]`],
  ["nothing", "null"],
])("a well signed payload with %s is refused", async (_, text) => {
  expect(await isAccepted(signTexts(providerKeys.EdDSA, '{"alg":"EdDSA","kid":"ed"}', text))).toBe(false);
});

test.each([
  ["alg twice", '{"alg":"none","alg":"EdDSA","kid":"ed"}'],
  ["alg twice, once escaped", '{"\\u0061lg":"none","alg":"EdDSA","kid":"ed"}'],
  ["kid twice", '{"alg":"EdDSA","kid":"x","kid":"ed"}'],
  ["a list", '[{"alg":"EdDSA","kid":"ed"}]'],
  ["text after its end", '{"alg":"EdDSA","kid":"ed"} x'],
  ["an alg that is inherited", '{"__proto__":{"alg":"EdDSA"},"kid":"ed"}'],
])("a well signed header with %s is refused", async (_, header) => {
  expect(await isAccepted(signTexts(providerKeys.EdDSA, header, payload))).toBe(false);
});

test.each<[string, (jwk: PublicJwk) => PublicJwk[]]>([
  ["a key that is gone from the list", () => []],
  ["a key for encryption", (jwk) => [{ ...jwk, use: "enc" }]],
  ["a key for signing only", (jwk) => [{ ...jwk, key_ops: ["sign"] }]],
  ["a key for another algorithm", (jwk) => [{ ...jwk, alg: "PS384" }]],
  ["a key of another kid", (jwk) => [{ ...jwk, kid: "older" }]],
  ["a key without kid, when the token has one", ({ kid: _, ...jwk }) => [jwk]],
  ["a key with an empty modulus", (jwk) => [{ ...jwk, n: "" }]],
  ["a key with an exponent of 1", (jwk) => [{ ...jwk, e: "AQ" }]],
  ["a key with an even exponent", (jwk) => [{ ...jwk, e: "AQAA" }]],
  ["more than four keys of one kid", (jwk) => Array(5).fill(jwk)],
])("a token is refused with %s", async (_, change) => {
  const key = providerKeys.RS256;
  expect(await isAccepted(aToken({ key }), [key.jwk])).toBe(true);
  expect(await isAccepted(aToken({ key }), change(key.jwk))).toBe(false);
});

test("an exponent of 1, with which anybody could sign, is not taken", async () => {
  const jwk = { ...providerKeys.RS256.jwk, e: "AQ" };
  const input = headed("RS256", "rsa");
  const digest = new Bun.CryptoHasher("sha256").update(input).digest();
  const info = Buffer.from("3031300d060960864801650304020105000420", "hex");
  const filler = Buffer.alloc(256 - 3 - info.length - digest.length, 0xff);
  const padded = Buffer.concat([Buffer.of(0, 1), filler, Buffer.of(0), info, digest]);
  expect(await isAccepted(`${input}.${encode(padded)}`, [jwk])).toBe(false);
});

test("a token without kid is tried with each fitting key, four at most", async () => {
  const key = providerKeys.ES256;
  const token = aToken({ key, header: { kid: undefined } });
  const others = [1, 2, 3, 4].map((i) => aProviderKey("ES256", `old${i}`).jwk);
  expect(await isAccepted(token, [...others.slice(1), key.jwk])).toBe(true);
  expect(await isAccepted(token, [...others, key.jwk])).toBe(false);
  expect(await isAccepted(token, others.slice(1))).toBe(false);
});

test("an RSA key below 2048 or above 8192 bits is not taken", async () => {
  for (const alg of ["RS256", "PS256"] as const) {
    for (const bits of [1024, 2040]) {
      const weak = aProviderKey(alg, "weak", bits);
      expect(await isAccepted(aToken({ key: weak }), [weak.jwk])).toBe(false);
    }
  }
  const padded = aProviderKey("RS256", "weak", 1024);
  const n = Buffer.concat([Buffer.alloc(256), Buffer.from(String(padded.jwk.n), "base64url")]);
  expect(await isAccepted(aToken({ key: padded }), [{ ...padded.jwk, n: encode(n) }])).toBe(false);
  const huge = { ...providerKeys.RS256.jwk, n: encode(Buffer.alloc(1025, 0xff)) };
  expect(await isAccepted(aToken({ key: providerKeys.RS256 }), [huge])).toBe(false);
});

test("an elliptic key on another curve is not taken", async () => {
  for (const namedCurve of ["P-384", "P-521"]) {
    const pair = generateKeyPairSync("ec", { namedCurve });
    const jwk = pair.publicKey.export({ format: "jwk" }) as unknown as PublicJwk;
    const input = headed("ES256", "curve");
    const signature = sign("sha256", Buffer.from(input), { key: pair.privateKey, dsaEncoding: "ieee-p1363" });
    const token = `${input}.${encode(signature)}`;
    expect(await isAccepted(token, [{ ...jwk, kid: "curve" }])).toBe(false);
    expect(await isAccepted(token, [{ ...jwk, kid: "curve", crv: "P-256" }])).toBe(false);
  }
  const point = { ...providerKeys.ES256.jwk, y: encode(Buffer.alloc(32, 1)) };
  expect(await isAccepted(aToken({ key: providerKeys.ES256 }), [point])).toBe(false);
});

test.each(ALGORITHMS)(
  "a token by %s with any bit of any byte of its signature flipped is refused",
  async (alg) => {
    const token = aToken({ key: providerKeys[alg] });
    const at = token.lastIndexOf(".") + 1;
    const signature = Buffer.from(token.slice(at), "base64url");
    for (let i = 0; i < signature.length; i++) {
      const changed = Buffer.from(signature);
      changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8));
      expect(await isAccepted(token.slice(0, at) + encode(changed))).toBe(false);
    }
  },
);

test("a token with any letter changed is refused", async () => {
  for (let i = 0; i < good.length; i++) {
    const changed = good.slice(0, i) + (good[i] === "A" ? "B" : "A") + good.slice(i + 1);
    expect(await isAccepted(changed)).toBe(false);
  }
});

function headed(alg: string, kid: string): string {
  return `${encode(JSON.stringify({ alg, kid }))}.${encode(payload)}`;
}

function derSignature(input: string): Buffer {
  return sign("sha256", Buffer.from(input), providerKeys.ES256.privateKey);
}

function groupOrderTwice(): Buffer {
  const n = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
  return Buffer.from(n + n, "hex");
}

function general(): string {
  const [header, body, signature] = good.split(".");
  return JSON.stringify({ payload: body, signatures: [{ protected: header, signature }] });
}

function flattened(): string {
  const [header, body, signature] = good.split(".");
  return JSON.stringify({ payload: body, protected: header, signature });
}

function inBase64(): string {
  // The question mark and tilde make base64 and base64url differ.
  const token = aToken({ claims: { name: "???~~~???" } });
  return token.replaceAll("-", "+").replaceAll("_", "/");
}

/** The same signature bytes, written another way: 64 bytes leave four bits unused in the last letter. */
function strayBits(token: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? "") + 1];
}

test("a signature that was good stays so by the same key only, and for the same token only", async () => {
  const key = aProviderKey("EdDSA", "ed");
  const other = aProviderKey("EdDSA", "ed");
  const token = forged(key, { alg: "EdDSA", kid: "ed" });
  for (const _ of ["computed", "remembered"]) expect(await isAccepted(token, [key.jwk])).toBe(true);
  expect(await isAccepted(token, [other.jwk])).toBe(false);
  expect(await isAccepted(token, [])).toBe(false);
  const bent = forged(other, { alg: "EdDSA", kid: "ed" });
  expect(await isAccepted(bent, [key.jwk])).toBe(false);
  expect(await isAccepted(token, [key.jwk])).toBe(true);
});

test("a signature that was not good is computed again, and not good again", async () => {
  const bent = forged(attacker, { alg: "RS256", kid: "rsa" });
  for (const _ of ["once", "twice"]) expect(await isAccepted(bent)).toBe(false);
});
