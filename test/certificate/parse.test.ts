import { expect, test } from "bun:test";
import { generateEd25519, sshBlobOfEd25519 } from "../../src/base/ed25519.ts";
import { isQfError } from "../../src/base/errors.ts";
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import { issueCertificate } from "../../src/certificate/issue.ts";
import { parseCertificate } from "../../src/certificate/parse.ts";
import {
  aCertificateOrder,
  caKey,
  identity,
  loginKey,
  MACHINE,
  NOW,
  names,
  options,
  type RawFields,
  rawCertificate,
  SOME_JWS,
} from "../support/certificates.ts";

const identityJson = JSON.stringify(identity);
const bytes = (text: string) => Buffer.from(text);

test("parseCertificate reads every field of what issueCertificate makes", () => {
  const certificate = parseCertificate(issueCertificate(aCertificateOrder()));
  expect(certificate).toMatchObject({
    serial: 42n,
    keyId: "anna@example.com on web-1",
    loginKey: loginKey.publicKey,
    principals: ["deploy", "postgres"],
    validAfterSeconds: NOW - 30,
    validBeforeSeconds: NOW + 120,
    targetPeerId: MACHINE,
    identity,
    idToken: SOME_JWS,
    caKey: caKey.publicKey,
  });
});

test("parseCertificate takes a certificate without token as one", () => {
  expect(parseCertificate(issueCertificate(aCertificateOrder({ idToken: null }))).idToken).toBeNull();
});

test.each<[string, Partial<RawFields>]>([
  ["an unchanged certificate", {}],
  ["256 principals", { principals: names(...numbered(256)) }],
  ["any OS user", { principals: names("*") }],
  ["a name with what a directory allows", { principals: names("CORP.anna-b+c@example.com$") }],
  ["extensions that are not known", { extensions: extensionsWith("permit-pty", Buffer.alloc(0)) }],
  ["a nonce of 16 bytes", { nonce: Buffer.alloc(16) }],
  ["the largest serial", { serial: 0xffff_ffff_ffff_ffffn }],
  ["the longest token", { extensions: extensionsWith("id-token@qufabric", token(20_480)) }],
])("parseCertificate takes %s", (_, changes) => {
  parseCertificate(rawCertificate(changes));
});

// Every row differs from a certificate that is taken in one respect, and the CA has signed it so.
test.each<[string, Partial<RawFields>]>([
  ["a plain key's type", { keyType: "ssh-ed25519" }],
  ["an RSA certificate's type", { keyType: "rsa-sha2-512-cert-v01@openssh.com" }],
  ["a security key's type", { keyType: "sk-ssh-ed25519-cert-v01@openssh.com" }],
  ["a host certificate", { type: 2 }],
  ["a type of 0", { type: 0 }],
  ["a short nonce", { nonce: Buffer.alloc(15) }],
  ["a long nonce", { nonce: Buffer.alloc(65) }],
  ["a login key of 31 bytes", { loginKey: Buffer.alloc(31) }],
  ["a login key of 33 bytes", { loginKey: Buffer.alloc(33) }],
  ["a key id of 513 bytes", { keyId: Buffer.alloc(513, 65) }],
  ["a key id that is not UTF-8", { keyId: Buffer.from([0xff]) }],
  ["a key id with NUL", { keyId: bytes("a\0b") }],
  ["no principals, which OpenSSH reads as anybody", { principals: names() }],
  ["257 principals", { principals: names(...numbered(257)) }],
  ["an empty principal", { principals: names("") }],
  ["a principal twice", { principals: names("deploy", "deploy") }],
  ["any OS user beside another", { principals: names("*", "deploy") }],
  ["any OS user twice", { principals: names("*", "*") }],
  ["a principal with a comma", { principals: names("deploy,root") }],
  ["a principal that is a pattern", { principals: names("dep*") }],
  ["a principal that is a negation", { principals: names("!root") }],
  ["a principal with a blank before it", { principals: names(" deploy") }],
  ["a principal with a line break", { principals: names("deploy\n") }],
  ["a principal with NUL", { principals: names("root\0x") }],
  ["a principal that is an option", { principals: names("-oProxyCommand=x") }],
  ["a principal that is a path", { principals: names("../root") }],
  ["a principal that looks alike", { principals: names("dep\u200bloy") }],
  ["a principal that is not UTF-8", { principals: names(Buffer.from([0xff])) }],
  ["a principal of 65 characters", { principals: names("a".repeat(65)) }],
  ["half a principal", { principals: names("deploy").subarray(0, 7) }],
  ["bytes after the principals", { principals: Buffer.concat([names("deploy"), bytes("x")]) }],
  ["an end before its start", { validAfter: BigInt(NOW), validBefore: BigInt(NOW - 1) }],
  ["an end at its start", { validAfter: BigInt(NOW), validBefore: BigInt(NOW) }],
  ["a lifetime of 151 s", { validBefore: BigInt(NOW + 121) }],
  ["a start at 0", { validAfter: 0n }],
  ["no end", { validBefore: 0xffff_ffff_ffff_ffffn }],
  ["neither start nor end", { validAfter: 0n, validBefore: 0xffff_ffff_ffff_ffffn }],
  ["no critical option", { critical: options() }],
  ["another critical option only", { critical: options(["force-command", "true"]) }],
  [
    "another critical option before ours",
    { critical: options(["force-command", "x"], ["peer@qufabric", MACHINE]) },
  ],
  [
    "another critical option after ours",
    { critical: options(["peer@qufabric", MACHINE], ["source-address", "::/0"]) },
  ],
  [
    "our critical option twice",
    { critical: options(["peer@qufabric", MACHINE], ["peer@qufabric", MACHINE]) },
  ],
  ["our critical option in other case", { critical: options(["Peer@qufabric", MACHINE]) }],
  ["a peer that is no id", { critical: options(["peer@qufabric", "web-1"]) }],
  ["a peer with a line break", { critical: options(["peer@qufabric", `${MACHINE}\n`]) }],
  ["an empty peer", { critical: options(["peer@qufabric", ""]) }],
  ["a peer without its inner string", { critical: options(["peer@qufabric", bytes(MACHINE)]) }],
  [
    "bytes after the peer",
    { critical: options(["peer@qufabric", Buffer.concat([inner(MACHINE), bytes("x")])]) },
  ],
  ["an option name without data", { critical: names("peer@qufabric") }],
  ["no extensions", { extensions: options() }],
  ["no identity", { extensions: options(["id-token@qufabric", SOME_JWS]) }],
  [
    "the identity twice",
    { extensions: options(["identity@qufabric", identityJson], ["identity@qufabric", identityJson]) },
  ],
  [
    "extensions out of order",
    { extensions: options(["identity@qufabric", identityJson], ["id-token@qufabric", SOME_JWS]) },
  ],
  [
    "an unknown extension twice",
    {
      extensions: options(
        ["identity@qufabric", identityJson],
        ["permit-pty", Buffer.alloc(0)],
        ["permit-pty", Buffer.alloc(0)],
      ),
    },
  ],
  [
    "33 extensions",
    {
      extensions: options(
        ["identity@qufabric", identityJson],
        ...numbered(32, "x").map((name): [string, string] => [name, ""]),
      ),
    },
  ],
  ["an identity that is not JSON", { extensions: options(["identity@qufabric", "{"]) }],
  ["an identity that is a list", { extensions: options(["identity@qufabric", `[${identityJson}]`]) }],
  ["an identity with an unknown field", { extensions: identityExtension({ admin: true }) }],
  ["an identity without a user", { extensions: identityExtension({ userId: undefined }) }],
  ["an identity with an unknown binding", { extensions: identityExtension({ binding: "root" }) }],
  ["an identity with an empty subject", { extensions: identityExtension({ subject: "" }) }],
  [
    "an identity that says a thing twice",
    {
      extensions: options(["identity@qufabric", identityJson.replace("{", '{"subject":"root-1",')]),
    },
  ],
  ["an empty token", { extensions: extensionsWith("id-token@qufabric", "") }],
  ["a token of two parts", { extensions: extensionsWith("id-token@qufabric", "a.b") }],
  ["a token in JSON", { extensions: extensionsWith("id-token@qufabric", '{"payload":""}') }],
  ["a token of 20,481 bytes", { extensions: extensionsWith("id-token@qufabric", token(20_481)) }],
  ["something in the reserved field", { reserved: bytes("x") }],
  ["an empty signing key", { caBlob: Buffer.alloc(0) }],
  ["a signing key of another type", { caBlob: keyBlob("ssh-ed25518", 32) }],
  ["a signing key that is too short", { caBlob: keyBlob("ssh-ed25519", 31) }],
  [
    "bytes after the signing key",
    { caBlob: Buffer.concat([sshBlobOfEd25519(caKey.publicKey), Buffer.alloc(1)]) },
  ],
  ["a certificate as signing key", { caBlob: issueCertificate(aCertificateOrder()) }],
  [
    "a certificate of the CA's own key as signing key",
    { caBlob: rawCertificate({ loginKey: Buffer.from(caKey.publicKey, "base64url") }) },
  ],
  ["a signature of another type", { signatureType: "ssh-ed25518" }],
  ["a signature under the certificate's type", { signatureType: "ssh-ed25519-cert-v01@openssh.com" }],
  ["a signature of 63 bytes", { signatureLength: 63 }],
  ["an empty signature", { signatureLength: 0 }],
  ["bytes after the signature", { signatureTail: Buffer.alloc(1) }],
  ["bytes after the certificate", { tail: Buffer.alloc(1) }],
  ["a second certificate after it", { tail: rawCertificate() }],
  [
    "fields within their bounds, and more than its own",
    { extensions: extensionsWith("x", Buffer.alloc(48_700)) },
  ],
])("parseCertificate refuses %s", (_, changes) => {
  expect(codeOf(() => parseCertificate(rawCertificate(changes)))).toBe("ERR_CERTIFICATE_INVALID");
});

test("parseCertificate refuses every beginning of a certificate", () => {
  const blob = issueCertificate(aCertificateOrder());
  for (let length = 0; length < blob.length; length++) {
    expect(codeOf(() => parseCertificate(blob.subarray(0, length)))).toBe("ERR_CERTIFICATE_INVALID");
  }
});

test("parseCertificate refuses a plain key and its kin", () => {
  expect(codeOf(() => parseCertificate(sshBlobOfEd25519(generateEd25519().publicKey)))).toBe(
    "ERR_CERTIFICATE_INVALID",
  );
  expect(codeOf(() => parseCertificate(Buffer.alloc(0)))).toBe("ERR_CERTIFICATE_INVALID");
  expect(codeOf(() => parseCertificate(Buffer.alloc(100, 0xff)))).toBe("ERR_CERTIFICATE_INVALID");
});

function codeOf(call: () => unknown): string {
  try {
    call();
    return "none";
  } catch (error) {
    return isQfError(error) ? error.code : String(error);
  }
}

function numbered(count: number, prefix = "u"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(4, "0")}`);
}

function inner(text: string): Buffer {
  return new SshWriter().text(text).toBuffer();
}

function token(length: number): string {
  return `a.b.${"c".repeat(length - 4)}`;
}

function keyBlob(type: string, length: number): Buffer {
  return new SshWriter().text(type).string(Buffer.alloc(length)).toBuffer();
}

/** The identity and one more extension, in order. */
function extensionsWith(name: string, value: string | Uint8Array): Buffer {
  const own: [string, string | Uint8Array] = ["identity@qufabric", identityJson];
  const other: [string, string | Uint8Array] = [name, value];
  return name < own[0] ? options(other, own) : options(own, other);
}

function identityExtension(changes: Record<string, unknown>): Buffer {
  return options(["identity@qufabric", JSON.stringify({ ...identity, ...changes })]);
}
