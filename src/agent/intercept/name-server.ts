/**
 * The name server of `--resolver`. Answers over UDP on a loopback address; `name-answers.ts` makes the
 * answers.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import type { Log } from "../../base/log.ts";
import { answerOf, type Zone } from "./name-answers.ts";

const DNS_PORT = 53;
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
 * Listens on the loopback address that belongs to overlay address `self`, on port 53, or on another port when
 * that one is taken. Rejects with the system's error when neither works.
 */
export async function openNameServer(
  { self, log }: { readonly self: string; readonly log: Log },
  port = DNS_PORT,
): Promise<NameServer> {
  const address = loopbackOf(self);
  const socket = await bound(address, port).catch(() => bound(address, 0));
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
