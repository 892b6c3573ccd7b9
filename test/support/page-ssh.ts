/** The page's SSH client over a TCP socket, and the servers it is tried on: Debian's sshd and our agent's. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Bytes, toBase64Url } from "../../src/browser-ssh/bytes.ts";
import { type ConnectOptions, connectSsh, type SshConnection } from "../../src/browser-ssh/connection.ts";
import type { ByteLink } from "../../src/browser-ssh/link.ts";
import type { SshIdentity } from "../../src/browser-ssh/sign-in.ts";
import { openSshd } from "../bench/sshd.ts";
import { openTestSshServer } from "./ssh-server-context.ts";

/** A socket as the client takes it. */
export async function tcpLink(port: number): Promise<ByteLink> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  socket.pause();
  return {
    send: (bytes) => void socket.write(bytes),
    close: () => void socket.end(),
    listen(listener) {
      socket.on("data", (data: Buffer) => listener.onBytes(new Uint8Array(data) as Bytes, () => {}));
      socket.on("close", () => listener.onEnd("the socket was closed", "lost"));
      socket.resume();
    },
  };
}

/** A key of WebCrypto that cannot be exported. */
export async function pageKey(): Promise<{ publicKey: Bytes; privateKey: CryptoKey; text: string }> {
  const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { publicKey, privateKey: pair.privateKey, text: toBase64Url(publicKey) };
}

export interface PageServer extends AsyncDisposable {
  readonly hostKeys: readonly Bytes[];
  /** A certificate for a key of the page, for `user`. */
  identity(user: string): Promise<SshIdentity>;
  link(): Promise<ByteLink>;
  connect(user: string, change?: Partial<ConnectOptions>): Promise<SshConnection>;
}

function pageServer(
  port: number,
  hostKeyLine: string,
  identity: PageServer["identity"],
  dispose: () => Promise<void>,
): PageServer {
  const hostKeys = [new Uint8Array(Buffer.from(hostKeyLine.split(" ")[1] ?? "", "base64"))];
  return {
    hostKeys,
    identity,
    link: () => tcpLink(port),
    async connect(user, change = {}) {
      return connectSsh({
        ...{ hostKeys, user, onBanner: () => {} },
        ...{
          link: change.link ?? (await tcpLink(port)),
          identity: change.identity ?? (await identity(user)),
        },
        ...change,
      });
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** Debian's sshd, which trusts a CA of its own for `user`. */
export async function openPageSshd(user: string, config = ""): Promise<PageServer> {
  const folder = mkdtempSync(join(tmpdir(), "qf-page-ca-"));
  const ca = join(folder, "ca");
  Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ca]);
  const sshd = await openSshd(`TrustedUserCAKeys ${ca}.pub\n${config}`, user);
  const hostKey = readFileSync(join(dirname(sshd.key), "host.pub"), "utf8");
  const identity = async (principal: string): Promise<SshIdentity> => {
    const { publicKey, privateKey } = await pageKey();
    const type = Buffer.from("0000000b7373682d6564323535313900000020", "hex");
    const file = join(folder, `key-${Math.trunc(performance.now() * 1000)}`);
    writeFileSync(`${file}.pub`, `ssh-ed25519 ${Buffer.concat([type, publicKey]).toString("base64")}\n`);
    Bun.spawnSync(["ssh-keygen", "-q", "-s", ca, "-I", "page", "-n", principal, `${file}.pub`]);
    const [, blob = ""] = readFileSync(`${file}-cert.pub`, "utf8").split(" ");
    return { publicKey, privateKey, certificate: new Uint8Array(Buffer.from(blob, "base64")) };
  };
  return pageServer(sshd.port, hostKey, identity, async () => {
    await sshd[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
}

/** Our agent's SSH server, with alice's certificates. */
export async function openPageAgent(): Promise<PageServer> {
  const world = await openTestSshServer();
  const identity = async (): Promise<SshIdentity> => {
    const { publicKey, privateKey, text } = await pageKey();
    const seedless = { publicKey: text } as never;
    const { certificate } = await world.issue({ loginKeyPair: seedless });
    return { publicKey, privateKey, certificate: new Uint8Array(certificate) };
  };
  return pageServer(world.port, world.hostKeyLine, identity, () => world.close());
}

/** What `work` fails with. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  return undefined;
}
