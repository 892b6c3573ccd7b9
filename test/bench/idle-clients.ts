/**
 * Many SSH connections that do nothing, in a process of their own so that their cost is not in anybody's
 * figure: `bun idle-clients.ts`, one JSON order a line on stdin, one JSON answer a line on stdout.
 *
 * An order opens so many connections more, or closes all; `count` asks each whether it is still there. A
 * connection that ends by itself is counted as lost.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { Client, utils } from "ssh2";
import { AUTH_METHODS, signInWith } from "../../src/ssh/client-auth.ts";

export interface IdleOrder {
  readonly port: number;
  readonly user: string;
  /** Private key in OpenSSH's form; read anew for each order. */
  readonly key: string;
  /** Signs in with the certificate beside the key, as our server wants it. */
  readonly hasCertificate: boolean;
  /** Connections to open. 0: all that are open are closed. */
  readonly open: number;
  /** At once. */
  readonly width: number;
  /** A shell on a terminal in each. */
  readonly shell: boolean;
}

export interface IdleAnswer {
  readonly open: number;
  readonly failed: number;
  /** Ended by themselves since the start. */
  readonly lost: number;
}

const ANSWER_MS = 10_000;
const clients = new Set<Client>();
let lost = 0;

interface LoadedKey {
  readonly pem: string;
  readonly seedKey: KeyObject;
  readonly publicKey: string;
  readonly certificate: Buffer | null;
}

function loadKey({ key, hasCertificate }: IdleOrder): LoadedKey {
  const text = readFileSync(key, "utf8");
  const parsed = utils.parseKey(text);
  if (parsed instanceof Error || Array.isArray(parsed)) throw new Error("not a key");
  const seedKey = createPrivateKey(parsed.getPrivatePEM());
  const spki = createPublicKey(seedKey).export({ format: "der", type: "spki" });
  const line = hasCertificate ? readFileSync(`${key}-cert.pub`, "utf8").split(" ")[1] : undefined;
  const certificate = line === undefined ? null : Buffer.from(line, "base64");
  return { pem: text, seedKey, publicKey: spki.subarray(-32).toString("base64url"), certificate };
}

/** True once it is signed in, and its shell has said something where one is wanted. */
function connect(order: IdleOrder, key: LoadedKey): Promise<boolean> {
  return new Promise((resolve) => {
    const client = new Client();
    let isUp = false;
    const up = () => {
      isUp = true;
      clients.add(client);
      resolve(true);
    };
    client
      .on("error", () => resolve(false))
      .on("close", () => {
        if (isUp && clients.delete(client)) lost += 1;
        resolve(false);
      })
      .on("ready", () => {
        if (!order.shell) return up();
        client.shell((error, channel) => {
          if (error !== undefined) return resolve(false);
          channel.once("data", up);
        });
      });
    const common = { host: "127.0.0.1", port: order.port, username: order.user, readyTimeout: 60_000 };
    if (key.certificate === null) client.connect({ ...common, privateKey: key.pem });
    else {
      client.connect({ ...common, authHandler: [...AUTH_METHODS] });
      const loginKey = { seed: "", publicKey: key.publicKey, privateKeyObject: key.seedKey };
      signInWith(client, { key: loginKey, certificateBlob: key.certificate });
    }
  });
}

/** How many answer a request of keepalive@openssh.com within the time. */
async function answering(withinMs: number): Promise<number> {
  let count = 0;
  const all = [...clients].map(
    (client) =>
      new Promise<void>((resolve) => {
        const inside = client as unknown as { _callbacks: (() => void)[]; _protocol: { ping(): void } };
        inside._callbacks.push(() => {
          count += 1;
          resolve();
        });
        inside._protocol.ping();
      }),
  );
  await Promise.race([Promise.all(all), Bun.sleep(withinMs)]);
  return count;
}

async function obey(order: IdleOrder): Promise<IdleAnswer> {
  let failed = 0;
  if (order.open === 0) {
    const all = [...clients];
    clients.clear();
    for (const client of all) client.end();
  } else {
    const key = loadKey(order);
    let left = order.open;
    const worker = async () => {
      while (left-- > 0) if (!(await connect(order, key))) failed += 1;
    };
    await Promise.all(Array.from({ length: order.width }, worker));
  }
  return { open: clients.size, failed, lost };
}

if (import.meta.main) {
  for await (const line of console) {
    if (line === "") continue;
    const answer =
      line === "count"
        ? { open: await answering(ANSWER_MS), failed: 0, lost }
        : await obey(JSON.parse(line) as IdleOrder);
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}
