/** ssh2's client, signing in with a certificate as `qf ssh` does, or otherwise than it should. */
import { sign } from "node:crypto";
import { Client } from "ssh2";
import type { Ed25519Key } from "../../src/base/ed25519.ts";
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import { AUTH_METHODS, signInWith } from "../../src/ssh/client-auth.ts";
import { type Ssh2Protocol, sendMessage } from "../../src/sshcore/ssh2-internals.ts";
import { CERTIFICATE_KEY_TYPE } from "../../src/wire/certificate.ts";
import type { TestSshServer } from "./ssh-server-context.ts";

export interface SignIn {
  readonly client: Client;
  readonly isIn: boolean;
  /** Every banner before the answer. */
  readonly banner: string;
}

/** A busy machine takes its time; the server's own patience is a little longer. */
const READY_MS_MAX = 25_000;

/** Signs in; `signWith` signs for the certificate with a key that is not the certified one. */
export async function signIn(
  world: Pick<TestSshServer, "port">,
  credential: {
    readonly loginKey: Ed25519Key;
    readonly certificate: Buffer;
    readonly localUser: string;
    readonly signWith?: Ed25519Key;
    /** A certificate asked about, unsigned, just before. */
    readonly askFirst?: Buffer;
    /** Asks and signs by `publickey-hostbound-v00@openssh.com`, for this host key. */
    readonly hostKey?: Buffer;
    /** The signature says plain `publickey` and no host key. */
    readonly signsUnbound?: boolean;
  },
): Promise<SignIn> {
  const client = new Client();
  let banner = "";
  const isIn = await new Promise<boolean>((resolve) => {
    client.on("banner", (text) => {
      banner += text;
    });
    client
      .on("ready", () => resolve(true))
      .on("error", () => resolve(false))
      .on("close", () => resolve(false));
    client.connect({
      ...{ host: "127.0.0.1", port: world.port, username: credential.localUser },
      readyTimeout: READY_MS_MAX,
      authHandler: [...AUTH_METHODS],
    });
    signInWith(client, {
      key: credential.signWith ?? credential.loginKey,
      certificateBlob: credential.certificate,
    });
    if (credential.askFirst !== undefined) askFirst(client, credential.askFirst);
    if (credential.hostKey !== undefined) bind(client, credential, credential.hostKey);
  });
  return { client, isIn, banner };
}

/** Sends an unsigned query for `certificate` ahead of the request that `signInWith` makes. */
function askFirst(client: Client, certificate: Buffer): void {
  const { _protocol: protocol } = client as unknown as {
    _protocol: Ssh2Protocol & { authNone(username: string): void; readonly _authsQueue: string[] };
  };
  const signed = protocol.authNone;
  protocol.authNone = (username) => {
    const query = new SshWriter().uint8(50).text(username).text("ssh-connection").text("publickey");
    sendMessage(protocol, query.bool(false).text(CERTIFICATE_KEY_TYPE).string(certificate).toBuffer());
    protocol._authsQueue.push("publickey");
    signed.call(protocol, username);
  };
}

/** Replaces the request that `signInWith` makes by one that names a host key. */
function bind(
  client: Client,
  { loginKey, certificate, signsUnbound = false }: Parameters<typeof signIn>[1],
  hostKey: Buffer,
): void {
  const { _protocol: protocol } = client as unknown as {
    _protocol: Ssh2Protocol & { authNone(username: string): void; readonly _authsQueue: string[] };
  };
  const request = (username: string, isBound: boolean) => {
    const method = isBound ? "publickey-hostbound-v00@openssh.com" : "publickey";
    const writer = new SshWriter().uint8(50).text(username).text("ssh-connection").text(method);
    writer.bool(true).text(CERTIFICATE_KEY_TYPE).string(certificate);
    return (isBound ? writer.string(hostKey) : writer).toBuffer();
  };
  protocol.authNone = (username) => {
    const sessionId = new SshWriter().string(protocol._kex?.sessionID ?? Buffer.alloc(0)).toBuffer();
    const signed = Buffer.concat([sessionId, request(username, !signsUnbound)]);
    const signature = new SshWriter()
      .text("ssh-ed25519")
      .string(sign(null, signed, loginKey.privateKeyObject));
    const last = new SshWriter().string(signature.toBuffer()).toBuffer();
    sendMessage(protocol, Buffer.concat([request(username, true), last]));
    protocol._authsQueue.push("publickey");
  };
}
