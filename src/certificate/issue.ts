/**
 * Issues certificates: encoding, signature, and the `-cert.pub` files that ssh(1) reads.
 *
 * Handles the format only; callers decide who may have a certificate.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { type Ed25519Key, signEd25519, sshBlobOfEd25519 } from "../base/ed25519.ts";
import { SshWriter } from "../base/ssh-buffer.ts";
import {
  CERTIFICATE_BACKDATE_SECONDS,
  CERTIFICATE_KEY_TYPE,
  CERTIFICATE_LIFETIME_SECONDS,
  type CertificateIdentity,
  EXTENSION_DEVICE,
  EXTENSION_ID_TOKEN,
  EXTENSION_IDENTITY,
  OPTION_PEER,
} from "../wire/certificate.ts";
import type { Ed25519PublicKey, EpochSeconds, PeerId } from "../wire/units.ts";
import { CERTIFICATE_TYPE_USER, NONCE_BYTES, PLAIN_KEY_TYPE } from "./certificate.ts";
import { parseCertificate } from "./parse.ts";

/** The contents of a certificate to be made. */
export interface CertificateOrder {
  readonly caKey: Ed25519Key;
  readonly serial: bigint;
  /** Shown in logs, at most 512 bytes: say who and where. */
  readonly keyId: string;
  /** The key to certify: raw, base64url. */
  readonly loginKey: Ed25519PublicKey;
  /** Local users, or `*` alone. At least one. */
  readonly principals: readonly string[];
  readonly targetPeerId: PeerId;
  readonly identity: CertificateIdentity;
  /** Null leaves the extension out. */
  readonly idToken: string | null;
  /** Base64url; only for an offline login. */
  readonly deviceSignature?: string;
  readonly nowSeconds: EpochSeconds;
}

/**
 * A signed certificate blob, valid from 30 s before `nowSeconds` until 120 s after it.
 *
 * Throws ERR_CERTIFICATE_INVALID for an order that `parseCertificate` would refuse, and an `SshBufferError`
 * for text that cannot be encoded.
 */
export function issueCertificate(order: CertificateOrder): Buffer {
  // No permit-* extensions: they mean nothing here and would widen what stock sshd allows this key.
  const extensions: [string, string][] = [[EXTENSION_IDENTITY, JSON.stringify(order.identity)]];
  if (order.idToken !== null) extensions.push([EXTENSION_ID_TOKEN, order.idToken]);
  if (order.deviceSignature !== undefined) extensions.push([EXTENSION_DEVICE, order.deviceSignature]);

  const writer = new SshWriter()
    .text(CERTIFICATE_KEY_TYPE)
    .string(randomBytes(NONCE_BYTES))
    .string(Buffer.from(order.loginKey, "base64url"))
    .uint64(order.serial)
    .uint32(CERTIFICATE_TYPE_USER)
    .text(order.keyId)
    .string(encodePrincipals(order.principals))
    .uint64(BigInt(order.nowSeconds - CERTIFICATE_BACKDATE_SECONDS))
    .uint64(BigInt(order.nowSeconds + CERTIFICATE_LIFETIME_SECONDS))
    .string(encodeOptions([[OPTION_PEER, order.targetPeerId]]))
    .string(encodeOptions(extensions))
    .string(Buffer.alloc(0))
    .string(sshBlobOfEd25519(order.caKey.publicKey));
  const signature = Buffer.from(signEd25519(order.caKey, writer.toBuffer()), "base64url");
  const blob = writer.string(new SshWriter().text(PLAIN_KEY_TYPE).string(signature).toBuffer()).toBuffer();
  parseCertificate(blob);
  return blob;
}

function encodePrincipals(principals: readonly string[]): Buffer {
  const writer = new SshWriter();
  for (const principal of principals) writer.text(principal);
  return writer.toBuffer();
}

/** Sorted by name bytes. Each value is one SSH string inside the data, as ssh-keygen writes it. */
function encodeOptions(options: readonly (readonly [name: string, value: string])[]): Buffer {
  const writer = new SshWriter();
  const sorted = [...options].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const [name, value] of sorted) writer.text(name).string(new SshWriter().text(value).toBuffer());
  return writer.toBuffer();
}
