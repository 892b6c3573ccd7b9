/**
 * The socket behind `qf agent ssh --stdio`: SSH from the first byte, for root and the agent's own user.
 *
 * It is in a folder that others cannot enter, beside the control socket, so the kernel enforces access. As
 * with `--plain-ssh-listen`, no client is identified before SSH does it. Nothing is decided here.
 *
 * @module
 */
import { once } from "node:events";
import { chmod, rename, unlink } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { makeDirectory } from "../../base/files.ts";
import type { SshServer } from "../contracts/server-context.ts";

export interface StdioListener {
  /** Accepts no more; existing connections stay. `isLeft`: a successor listens at the same path. */
  close(how?: { readonly isLeft: boolean }): Promise<void>;
}

/** Addresses in SSH_CONNECTION and evidence for a stream that has none: this machine. */
const HERE = { sourceAddress: "127.0.0.1", sourcePort: 0, localAddress: "127.0.0.1", localPort: 0 };

/** The socket's path. No longer than the control socket's, which has to fit. */
export function stdioSocketPath(controlSocket: string): string {
  return join(dirname(controlSocket), "own", "ssh.sock");
}

/** Listens, replacing an earlier agent's socket. The caller holds the state lock. */
export async function openStdioListener(
  controlSocket: string,
  agent: { readonly ssh: Pick<SshServer, "accept">; isSshOn(): boolean },
): Promise<StdioListener> {
  const path = stdioSocketPath(controlSocket);
  await makeDirectory(dirname(path), 0o700);
  await chmod(dirname(path), 0o700);
  const temporary = join(dirname(path), "ssh.new");
  await unlink(temporary).catch(() => {});
  const server = createServer((socket) => {
    if (agent.isSshOn()) agent.ssh.accept(socket, { path: "stdio", ...HERE, sourcePeerId: null });
    else socket.destroy();
  });
  server.listen(temporary);
  await once(server, "listening");
  await rename(temporary, path);
  return {
    async close({ isLeft = false } = { isLeft: false }) {
      server.close();
      if (!isLeft) await unlink(path).catch(() => {});
    },
  };
}
