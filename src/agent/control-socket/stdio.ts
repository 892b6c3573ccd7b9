/**
 * `qf agent ssh --stdio`: one connection to the running agent's SSH server on stdin and stdout, like `sshd
 * -i`. This process only copies bytes.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { QfError } from "../../base/errors.ts";
import { openOutput } from "../../base/output.ts";
import { splice } from "../../fabric/splice.ts";
import type { Environment } from "../contracts/flags.ts";
import { stdioSocketPath } from "../listeners/stdio-listener.ts";
import { chooseStateDir } from "../state/state-dir.ts";
import { askStatus, findControlSocket } from "./control-client.ts";

/**
 * Resolves when the connection ends. Throws ERR_PERMISSION, or ERR_UNAVAILABLE if no agent runs or it serves
 * no SSH.
 */
export async function serveStdio(options: {
  readonly stateDir: string | undefined;
  readonly environment: Environment;
}): Promise<void> {
  const stateDir = chooseStateDir(options.stateDir, options.environment);
  if ((await askStatus(stateDir))?.sshServer.enabled === false) {
    throw new QfError("ERR_UNAVAILABLE", "the agent serves no SSH", {
      hint: "run qf agent up --allow-server-ssh",
    });
  }
  const socket = await open(stdioSocketPath(await findControlSocket(stateDir)), stateDir);
  await splice(socket, process.stdin, openOutput(1));
  socket.destroy();
}

function open(path: string, stateDir: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path }, () => resolve(socket));
    socket.once("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code === "EACCES") {
        const message = "only root and the agent's own user may serve a connection by hand";
        reject(new QfError("ERR_PERMISSION", message, { hint: "run the same command with sudo", cause }));
      } else {
        const message = `no agent runs on ${stateDir}`;
        reject(new QfError("ERR_UNAVAILABLE", message, { hint: "start it with qf agent up", cause }));
      }
    });
  });
}
