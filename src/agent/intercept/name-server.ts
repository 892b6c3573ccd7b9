/**
 * The name server of `--resolver`: answers over UDP, on a loopback address, what `name-answers.ts` says.
 *
 * @module
 */
import { createSocket, type Socket } from "node:dgram";
import type { Log } from "../../base/log.ts";
import { answerOf, type Zone } from "./name-answers.ts";

const DNS_PORT = 53;
/** Of ours are far shorter. */
const QUERY_BYTES_MAX = 512;

export interface NameServer {
  readonly address: string;
  readonly port: number;
  /** Answers from `zone` from now on. */
  set(zone: Zone): void;
  close(): void;
}

/**
 * Listens on the loopback address of the machine at overlay address `self`, at port 53, or another where that
 * one is held. Rejects with the system's error where there is none.
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

/** 127.x.y.z of 100.x.y.z, so that each agent of a machine has one, and people can tell which. */
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
