/**
 * Many SSH connections that do nothing, in a process of their own so that their cost is not in anybody's
 * figure: `bun idle-clients.ts`, one JSON order a line on stdin, one JSON answer a line on stdout.
 *
 * An order opens so many connections more, or closes all; `count` asks each whether it is still there. A
 * connection that ends by itself is counted as lost.
 */
import { Client } from "ssh2";
import { connectClient, type LoadedKey, loadKey } from "./client.ts";

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
    connectClient(client, order, key);
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
    const key = loadKey(order.key, order.hasCertificate);
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
