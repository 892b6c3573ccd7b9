/**
 * An Ed25519 key and its certificate as the files OpenSSH reads (PROTOCOL.key, PROTOCOL.certkeys).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { type Ed25519Key, sshBlobOfEd25519 } from "../../base/ed25519.ts";
import { SshWriter } from "../../base/ssh-buffer.ts";

/** Block size of cipher "none", to which the private part is padded. */
const BLOCK_BYTES = 8;
const COMMENT = "qufabric";
const CERTIFICATE_TYPE = "ssh-ed25519-cert-v01@openssh.com";

/**
 * The private key file, without a passphrase (PROTOCOL.key): its public half is `certificate`, a blob as in
 * PROTOCOL.certkeys, so that one file holds both. Without one it is the plain key.
 */
export function opensshPrivateKey(key: Ed25519Key, certificate?: Uint8Array): string {
  const publicKey = Buffer.from(key.publicKey, "base64url");
  const seed = Buffer.from(key.seed, "base64url");
  const check = createHash("sha256").update(publicKey).digest().readUInt32BE(0);
  const secret = new SshWriter().uint32(check).uint32(check);
  if (certificate === undefined) secret.text("ssh-ed25519");
  else secret.text(CERTIFICATE_TYPE).string(certificate);
  secret
    .string(publicKey)
    .string(Buffer.concat([seed, publicKey]))
    .text(COMMENT);
  for (let pad = 1; secret.toBuffer().length % BLOCK_BYTES !== 0; pad++) secret.uint8(pad);
  const file = new SshWriter()
    .raw(Buffer.from("openssh-key-v1\0"))
    .text("none")
    .text("none")
    .text("")
    .uint32(1)
    .string(certificate ?? sshBlobOfEd25519(key.publicKey))
    .string(secret.toBuffer())
    .toBuffer();
  const lines = file.toString("base64").match(/.{1,70}/g) ?? [];
  const fence = (word: string) => `-----${word} OPENSSH PRIVATE KEY-----`;
  return `${[fence("BEGIN"), ...lines, fence("END")].join("\n")}\n`;
}
