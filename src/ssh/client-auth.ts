/**
 * Makes ssh2's client sign in with one key of ours, with or without a certificate, in one message.
 *
 * ssh2 writes the certificate's type into the signature too, while OpenSSH and we expect plain `ssh-ed25519`
 * (PROTOCOL.certkeys), and it first asks whether the key is acceptable. So we replace its `none` attempt with
 * a signed `publickey` request. This relies on ssh2's internals; its version is pinned and
 * `test/ssh/connect.test.ts` performs a real sign-in.
 *
 * @module
 */
import { sign } from "node:crypto";
import type { Client } from "ssh2";
import { assert } from "../base/assert.ts";
import { type Ed25519Key, sshBlobOfEd25519 } from "../base/ed25519.ts";

const USERAUTH_REQUEST = 50;
const PLAIN_TYPE = "ssh-ed25519";
const CERTIFICATE_TYPE = "ssh-ed25519-cert-v01@openssh.com";

export interface ClientKey {
  readonly key: Ed25519Key;
  /** Null: the key signs in without a certificate (machine identity). */
  readonly certificateBlob: Buffer | null;
}

/** The part of ssh2 1.17's `Protocol` used here. */
interface Ssh2Protocol {
  authNone(username: string): void;
  readonly _kex: { readonly sessionID: Buffer };
  readonly _authsQueue: string[];
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      alloc(bytes: number): Buffer;
      finalize(packet: Buffer): Buffer;
    };
  };
  readonly _cipher: { encrypt(packet: Buffer): void };
}

/** `authHandler` for `connect`, for use with `signInWith`. */
export const AUTH_METHODS = ["none"] as const;

/** Call right after `client.connect`, before anything is read from the stream. */
export function signInWith(client: Client, { key, certificateBlob }: ClientKey): void {
  const protocol = (client as unknown as { _protocol?: Ssh2Protocol })._protocol;
  assert(protocol !== undefined && typeof protocol.authNone === "function", "ssh2 has a protocol");
  protocol.authNone = (username) => {
    const algorithm = certificateBlob === null ? PLAIN_TYPE : CERTIFICATE_TYPE;
    const request = Buffer.concat([
      Buffer.from([USERAUTH_REQUEST]),
      sshString(username),
      sshString("ssh-connection"),
      sshString("publickey"),
      Buffer.from([1]),
      sshString(algorithm),
      sshString(certificateBlob ?? sshBlobOfEd25519(key.publicKey)),
    ]);
    const signed = Buffer.concat([sshString(protocol._kex.sessionID), request]);
    const signature = sign(null, signed, key.privateKeyObject);
    const payload = Buffer.concat([
      request,
      sshString(Buffer.concat([sshString(PLAIN_TYPE), sshString(signature)])),
    ]);
    const { write } = protocol._packetRW;
    const start = write.allocStart;
    const packet = write.alloc(payload.length);
    packet.set(payload, start);
    protocol._authsQueue.push("publickey");
    protocol._cipher.encrypt(write.finalize(packet));
  };
}

function sshString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
