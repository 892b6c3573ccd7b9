/**
 * The listener of `--plain-ssh-listen`: SSH from the first byte, for clients that do not know QuFabric.
 *
 * Without a hello no client is identified before SSH does it. The SSH server limits what unknown clients may
 * use, by address. Nothing is decided here.
 *
 * @module
 */
import { createServer, type Server } from "node:net";
import { addressOf, descriptorOf, endsOf, listenAt, listenOn, TCP_OPTIONS } from "../../fabric/listen.ts";
import type { SshServer } from "../contracts/server-context.ts";

export interface PlainListener {
  /** Addresses it listens on. Empty: none. */
  addresses(): readonly string[];
  /** Listens at `address` only. Null: nowhere. On failure nothing changes. */
  listenAt(address: string | null, inheritedFd?: number): Promise<void>;
  /** Descriptor of the listening socket, for a successor. -1: none. */
  descriptor(): number;
  /** Accepts no more connections. */
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
      // Existing connections stay; the SSH server decides about them.
      old?.close();
    },
    descriptor: () => (server === null ? -1 : descriptorOf(server)),
    leave: () => void server?.close(),
  };
}
