/** Certificates to start from: a good order, and a blob with any field changed and yet well signed. */
import { type Ed25519Key, generateEd25519, signEd25519, sshBlobOfEd25519 } from "../../src/base/ed25519.ts";
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import type { CertificateOrder } from "../../src/certificate/issue.ts";
import type { CertificateQuestion } from "../../src/certificate/verify.ts";
import type { CertificateIdentity } from "../../src/wire/certificate.ts";
import type { MapCa } from "../../src/wire/network-map.ts";

export const NOW = 1_790_000_000;
export const MACHINE = "machine0000000000000";
export const OTHER_MACHINE = "machine0000000000001";
export const DEVICE = "device00000000000000";
export const USER = "user0000000000000000";
export const caKey: Ed25519Key = generateEd25519();
export const loginKey: Ed25519Key = generateEd25519();
export const ca: MapCa = { id: "ca000000000000000000", publicKey: caBlob(caKey) };
/** Shaped like a token; certificates do not look into it. */
export const SOME_JWS = "eyJhbGciOiJFZERTQSJ9.e30.c2ln";

export const identity: CertificateIdentity = {
  issuer: "https://idp.example.com",
  subject: "anna-1",
  userId: USER,
  devicePeerId: DEVICE,
  authTimeSeconds: NOW - 60,
  binding: "idp",
  mapVersion: 7,
};

export function caBlob(key: Ed25519Key): string {
  return sshBlobOfEd25519(key.publicKey).toString("base64");
}

export function aCertificateOrder(changes: Partial<CertificateOrder> = {}): CertificateOrder {
  return {
    caKey,
    serial: 42n,
    keyId: "anna@example.com on web-1",
    loginKey: loginKey.publicKey,
    principals: ["deploy", "postgres"],
    targetPeerId: MACHINE,
    identity,
    idToken: SOME_JWS,
    nowSeconds: NOW,
    ...changes,
  };
}

export function aCertificateQuestion(
  blob: Uint8Array,
  changes: Partial<CertificateQuestion> = {},
): CertificateQuestion {
  return {
    blob,
    cas: [ca],
    nowSeconds: NOW,
    selfPeerId: MACHINE,
    localUser: "deploy",
    sourcePeerId: DEVICE,
    ...changes,
  };
}

/** Option list: each value is one string inside its data; bytes are taken as data unchanged. */
export function options(...entries: [name: string, value: string | Uint8Array][]): Buffer {
  const writer = new SshWriter();
  for (const [name, value] of entries) {
    writer.string(Buffer.from(name));
    writer.string(typeof value === "string" ? new SshWriter().string(Buffer.from(value)).toBuffer() : value);
  }
  return writer.toBuffer();
}

export function names(...list: (string | Uint8Array)[]): Buffer {
  const writer = new SshWriter();
  for (const name of list) writer.string(Buffer.from(name));
  return writer.toBuffer();
}

export interface RawFields {
  keyType: string;
  nonce: Uint8Array;
  loginKey: Uint8Array;
  serial: bigint;
  type: number;
  keyId: Uint8Array;
  principals: Uint8Array;
  validAfter: bigint;
  validBefore: bigint;
  critical: Uint8Array;
  extensions: Uint8Array;
  reserved: Uint8Array;
  caBlob: Uint8Array;
  signatureType: string;
  /** How many of its 64 bytes are sent. */
  signatureLength: number;
  /** After the 64 bytes, inside the signature field. */
  signatureTail: Uint8Array;
  /** After the certificate. */
  tail: Uint8Array;
}

/** A certificate that parses and verifies as it is; each change is signed by the CA like the rest. */
export function rawCertificate(changes: Partial<RawFields> = {}, key: Ed25519Key = caKey): Buffer {
  const fields: RawFields = {
    keyType: "ssh-ed25519-cert-v01@openssh.com",
    nonce: Buffer.alloc(32, 7),
    loginKey: Buffer.from(loginKey.publicKey, "base64url"),
    serial: 1n,
    type: 1,
    keyId: Buffer.from("key id"),
    principals: names("deploy"),
    validAfter: BigInt(NOW - 30),
    validBefore: BigInt(NOW + 120),
    critical: options(["peer@qufabric", MACHINE]),
    extensions: options(["id-token@qufabric", SOME_JWS], ["identity@qufabric", JSON.stringify(identity)]),
    reserved: Buffer.alloc(0),
    caBlob: sshBlobOfEd25519(key.publicKey),
    signatureType: "ssh-ed25519",
    signatureLength: 64,
    signatureTail: Buffer.alloc(0),
    tail: Buffer.alloc(0),
    ...changes,
  };
  const writer = new SshWriter()
    .text(fields.keyType)
    .string(fields.nonce)
    .string(fields.loginKey)
    .uint64(fields.serial)
    .uint32(fields.type)
    .string(fields.keyId)
    .string(fields.principals)
    .uint64(fields.validAfter)
    .uint64(fields.validBefore)
    .string(fields.critical)
    .string(fields.extensions)
    .string(fields.reserved)
    .string(fields.caBlob);
  const signature = Buffer.from(signEd25519(key, writer.toBuffer()), "base64url");
  const signatureBlob = new SshWriter()
    .text(fields.signatureType)
    .string(signature.subarray(0, fields.signatureLength))
    .raw(fields.signatureTail);
  return writer.string(signatureBlob.toBuffer()).raw(fields.tail).toBuffer();
}

/** One line for a `-cert.pub` file. */
export function certificateFileText(blob: Uint8Array, comment: string): string {
  return `ssh-ed25519-cert-v01@openssh.com ${Buffer.from(blob).toString("base64")} ${comment}\n`;
}
