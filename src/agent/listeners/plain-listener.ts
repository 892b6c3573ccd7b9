/**
 * The listener of `--plain-ssh-listen`: SSH from the first byte, for clients that know nothing of us.
 *
 * There is no hello here, so nobody is known before SSH says who; the SSH server bounds what strangers
 * may cost, by their address. Decides nothing.
 *
 * @module
 */
import { createServer, type Server } from "node:net";
import { addressOf, descriptorOf, endsOf, listenAt, listenOn, TCP_OPTIONS } from "../../fabric/listen.ts";
import type { SshServer } from "../contracts/server-context.ts";

export interface PlainListener {
  /** Where it listens; empty when it does not. */
  addresses(): readonly string[];
  /** Listens at `address` and nowhere else; null: nowhere. On failure it goes on as before. */
  listenAt(address: string | null, inheritedFd?: number): Promise<void>;
  /** The listening socket for a successor; -1: there is none. */
  descriptor(): number;
  /** Accepts no more. */
  leave(): void;
}

export function createPlainListener(ssh: Pick<SshServer, "accept">): PlainListener {
  let server: Server | null = null;
  let wanted: string | null = null;

  async function open(address: string, inheritedFd?: number): Promise<Server> {
    const opened = createServer(TCP_OPTIONS, (socket) => {
      ssh.accept(socket, { path: "plain", ...endsOf(socket), sourcePeerId: null });
    });
    if (inheritedFd === undefined) await listenAt(opened, address, "--plain-ssh-listen");
    else await listenOn(opened, inheritedFd);
    return opened;
  }

  return {
    addresses: () => (server === null ? [] : [addressOf(server)]),
    async listenAt(address, inheritedFd) {
      if (address === wanted) return;
      const next = address === null ? null : await open(address, inheritedFd);
      const old = server;
      server = next;
      wanted = address;
      // Whoever is on stays on: the SSH server knows who may.
      old?.close();
    },
    descriptor: () => (server === null ? -1 : descriptorOf(server)),
    leave: () => void server?.close(),
  };
}
