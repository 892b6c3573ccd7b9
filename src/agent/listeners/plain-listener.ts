/**
 * The listener of `--plain-ssh-listen`: SSH from the first byte, for clients that know nothing of us.
 *
 * There is no hello here, so nobody is known before SSH says who; the SSH server bounds what strangers
 * may cost, by their address. Decides nothing.
 *
 * @module
 */
import { createServer, type Server } from "node:net";
import { addressOf, endsOf, listenAt, TCP_OPTIONS } from "../../fabric/listen.ts";
import type { SshServer } from "../contracts/server-context.ts";

export interface PlainListener {
  /** Where it listens; empty when it does not. */
  addresses(): readonly string[];
  /** Listens at `address` and nowhere else; null: nowhere. On failure it goes on as before. */
  listenAt(address: string | null): Promise<void>;
}

export function createPlainListener(ssh: Pick<SshServer, "accept">): PlainListener {
  let server: Server | null = null;
  let wanted: string | null = null;

  async function open(address: string): Promise<Server> {
    const opened = createServer(TCP_OPTIONS, (socket) => {
      ssh.accept(socket, { path: "plain", ...endsOf(socket), sourcePeerId: null });
    });
    await listenAt(opened, address, "--plain-ssh-listen");
    return opened;
  }

  return {
    addresses: () => (server === null ? [] : [addressOf(server)]),
    async listenAt(address) {
      if (address === wanted) return;
      const next = address === null ? null : await open(address);
      const old = server;
      server = next;
      wanted = address;
      // Whoever is on stays on: the SSH server knows who may.
      old?.close();
    },
  };
}
