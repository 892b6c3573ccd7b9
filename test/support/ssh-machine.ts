/**
 * A machine for the client's tests: takes one hello line, then speaks SSH with ssh2's server on loopback.
 *
 * It checks the certificate sign-in as OpenSSH would: a plain `ssh-ed25519` signature by the certified key.
 *
 * @module
 */
import { createHash, generateKeyPairSync, verify } from "node:crypto";
import { createServer, type Socket } from "node:net";
import ssh2, { type Connection, type Session } from "ssh2";
import { makeEd25519HostKey } from "../../src/agent/state/host-keys.ts";
import { type Ed25519Key, ed25519PublicKeyObject, generateEd25519 } from "../../src/base/ed25519.ts";
import type { Credential } from "../../src/client/credential.ts";

const CERTIFICATE_TYPE = "ssh-ed25519-cert-v01@openssh.com";

export interface SshMachineOptions {
  /** What a session does; default: refuse all. */
  readonly onSession?: (session: Session, client: Connection) => void;
  /** Called with each connection before it has signed in. */
  readonly onConnection?: (client: Connection) => void;
  /** Refuse every sign-in, with this banner first. */
  readonly denyWith?: string;
  readonly greeting?: string;
  /** Let in whoever signs in by a key, whatever the key. */
  readonly acceptAny?: boolean;
}

export interface SshMachine {
  readonly credential: Credential;
  readonly address: string;
  /** Hello lines seen, in order. */
  readonly hellos: string[];
  readonly users: string[];
  /** Ends every connection, as a crash would. */
  drop(): void;
  close(): Promise<void>;
}

/** The host key of all machines here: made once, since making one takes time. */
const hostKey = makeEd25519HostKey();

/** A certificate blob good enough for a client: nonce, key and text; nobody here checks its signature. */
function certificateOf(key: Ed25519Key): Buffer {
  const part = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const raw = Buffer.from(key.publicKey, "base64url");
  return Buffer.concat([part(Buffer.from(CERTIFICATE_TYPE)), part(Buffer.alloc(32, 7)), part(raw)]);
}

/** Starts a machine on 127.0.0.1 and the credential that reaches it. */
export async function startSshMachine(options: SshMachineOptions = {}): Promise<SshMachine> {
  const loginKey = generateEd25519();
  const deviceKey = generateEd25519();
  const certificateBlob = certificateOf(loginKey);
  const hellos: string[] = [];
  const users: string[] = [];
  const sockets = new Set<Socket>();
  const server = new ssh2.Server(
    {
      hostKeys: [hostKey],
      ...(options.denyWith === undefined ? {} : { banner: options.denyWith }),
      ...(options.greeting === undefined ? {} : { banner: options.greeting }),
    },
    (client) => {
      client.on("error", () => {});
      options.onConnection?.(client);
      client.on("authentication", (context) => {
        users.push(context.username);
        const isGood =
          options.denyWith === undefined &&
          context.method === "publickey" &&
          (options.acceptAny === true || isSignedBy(context, { loginKey, deviceKey, certificateBlob }));
        if (isGood) context.accept();
        else context.reject([]);
      });
      client.on("session", (accept, reject) => {
        if (options.onSession === undefined) reject();
        else options.onSession(accept(), client);
      });
    },
  );
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.once("data", (chunk: Buffer) => {
      const end = chunk.indexOf(0x0a);
      hellos.push(chunk.toString("utf8", 0, end));
      socket.unshift(chunk.subarray(end + 1));
      server.injectSocket(socket);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(listener.address() as { port: number }).port}`;
  const parsed = ssh2.utils.parseKey(hostKey);
  if (parsed instanceof Error) throw parsed;
  return {
    address,
    hellos,
    users,
    credential: {
      loginKey,
      certificateBlob,
      deviceKey,
      devicePeerId: "device00000000000000",
      scope: { accountId: "account0000000000000", origin: "https://qf.example.com" },
      isLoginKept: true,
      isOffline: false,
      target: {
        peerId: "machine0000000000000",
        name: "web1",
        address: "100.64.0.9",
        hostKeys: [parsed.getPublicSSH().toString("base64")],
        direct: [address],
        connected: true,
        sshServer: true,
        machineIdentity: false,
      },
    },
    drop: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        listener.close(() => resolve());
      }),
  };
}

interface Keys {
  readonly loginKey: Ed25519Key;
  readonly deviceKey: Ed25519Key;
  readonly certificateBlob: Buffer;
}

function isSignedBy(context: ssh2.PublicKeyAuthContext, keys: Keys): boolean {
  const { signature, blob, key } = context;
  if (signature === undefined || blob === undefined) return false;
  const isCertificate = key.algo === CERTIFICATE_TYPE;
  if (isCertificate && !key.data.equals(keys.certificateBlob)) return false;
  // ssh2 strips the type from the signature only where it equals the key's.
  const prefix = Buffer.concat([
    Buffer.from([0, 0, 0, 11]),
    Buffer.from("ssh-ed25519"),
    Buffer.from([0, 0, 0, 64]),
  ]);
  const hasPlainType = signature.subarray(0, prefix.length).equals(prefix);
  if (isCertificate && !hasPlainType) return false;
  const raw = hasPlainType ? signature.subarray(prefix.length) : signature;
  const signer = isCertificate ? keys.loginKey : keys.deviceKey;
  return verify(null, blob, ed25519PublicKeyObject(signer.publicKey), raw);
}

/** SHA-256 of `bytes` in hex, for comparing streams. */
export function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Another host key, in the form of `TargetInfo.hostKeys`. */
export function otherHostKey(): string {
  const { publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const type = Buffer.from("ssh-ed25519");
  return Buffer.concat([Buffer.from([0, 0, 0, 11]), type, Buffer.from([0, 0, 0, 32]), raw]).toString(
    "base64",
  );
}
