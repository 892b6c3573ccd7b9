/**
 * The name server of `--resolver`. Answers over UDP on a loopback address; `name-answers.ts` makes the
 * answers.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import type { Log } from "../../base/log.ts";
import { answerOf, type Zone } from "./name-answers.ts";

/**
 * Port 53, and those that are tried when it is taken. Only root may bind them, so no user of the machine can
 * take the place of an agent that was killed and answer in its name.
 */
const PORTS: readonly number[] = [53, ...Array.from({ length: 16 }, (_, i) => 1023 - i)];
/** Queries for our names are far shorter. */
const QUERY_BYTES_MAX = 512;

export interface NameServer {
  readonly address: string;
  readonly port: number;
  /** Answers from `zone` from now on. */
  set(zone: Zone): void;
  close(): void;
}

/**
 * Listens on the loopback address that belongs to overlay address `self`, on the first of `ports` that is
 * free. Rejects with the system's error when none is.
 */
export async function openNameServer(
  { self, log }: { readonly self: string; readonly log: Log },
  ports: readonly number[] = PORTS,
): Promise<NameServer> {
  const address = loopbackOf(self);
  const socket = await boundToFirst(address, ports);
  let zone: Zone = { domain: "invalid", addresses: new Map() };
  socket.on("message", (query, from) => {
    const answer = query.length > QUERY_BYTES_MAX ? null : answerOf(query, zone);
    if (answer !== null) socket.send(answer, from.port, from.address, () => {});
  });
  socket.on("error", (cause) => log.warn("the name server failed", { address }, cause));
  return {
    address,
    port: socket.address().port,
    set(next) {
      zone = next;
    },
    close: () => socket.close(),
  };
}

/**
 * 127.x.y.z for 100.x.y.z, so that each agent on a machine has its own address and users can tell which is
 * which.
 */
export function loopbackOf(overlayAddress: string): string {
  return overlayAddress.replace(/^\d+\./, "127.");
}

async function boundToFirst(address: string, ports: readonly number[]): Promise<Socket> {
  let failure: unknown;
  for (const port of ports) {
    const socket = await bound(address, port).catch((cause: unknown) => {
      failure = cause;
      return null;
    });
    if (socket !== null) return socket;
  }
  throw failure;
}

function bound(address: string, port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", (cause) => {
      socket.close();
      reject(cause);
    });
    socket.bind({ address, port }, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}
