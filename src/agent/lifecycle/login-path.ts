/**
 * A check that logins can work, before an agent counts as up: its SSH server must answer on the loopback with
 * its own host key, and its executable must start again, as every session requires.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { Client } from "ssh2";
import { QfError } from "../../base/errors.ts";
import { ownCommand } from "../../base/own-command.ts";
import { ALGORITHMS, HOST_KEY_ALGORITHMS } from "../../sshcore/algorithms.ts";
import { CLIENT_IDENT } from "../../sshcore/ident.ts";
import { findControlSocket } from "../control-socket/control-client.ts";
import { stdioSocketPath } from "../listeners/stdio-listener.ts";
import { openKeys, statePaths } from "../state/state.ts";

/** Time limit for each of the two. */
const MS_MAX = 15_000;
const HINT =
  "people could not log in; qf agent status -d shows more, and the machine's own sshd is untouched";

/** Checks the agent that runs on `stateDir`. Throws ERR_UNAVAILABLE with what does not work. */
export async function proveLoginPath(stateDir: string): Promise<void> {
  const { hostKeyBlobs } = await openKeys(statePaths(stateDir), { mustExist: true });
  const path = stdioSocketPath(await findControlSocket(stateDir));
  await Promise.all([exchangeKeys(path, hostKeyBlobs), startAgain()]);
}

/** Exchanges keys with the SSH server up to the proof of its host key. Does not sign in. */
function exchangeKeys(path: string, hostKeys: readonly string[]): Promise<void> {
  const known = hostKeys.map((blob) => Buffer.from(blob, "base64"));
  const client = new Client();
  const socket: Socket = connect({ path });
  let timer: NodeJS.Timeout | undefined;
  return new Promise<void>((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(
        new QfError("ERR_UNAVAILABLE", "the SSH server does not answer on the loopback", {
          hint: HINT,
          cause,
        }),
      );
    timer = setTimeout(() => fail(undefined), MS_MAX);
    socket.once("error", fail);
    client.once("error", fail);
    socket.once("close", fail);
    client.once("handshake", () => resolve());
    socket.once("connect", () =>
      client.connect({
        sock: socket,
        username: "qufabric",
        ident: CLIENT_IDENT,
        authHandler: [],
        readyTimeout: MS_MAX,
        algorithms: { ...ALGORITHMS, serverHostKey: [...HOST_KEY_ALGORITHMS] },
        strictVendor: false,
        hostVerifier: (offered: Buffer) => known.some((key) => key.equals(offered)),
      }),
    );
  }).finally(() => {
    clearTimeout(timer);
    client.removeAllListeners();
    client.on("error", () => {});
    for (const event of ["error", "close"]) socket.removeAllListeners(event);
    socket.on("error", () => {});
    client.destroy();
    socket.destroy();
  });
}

async function startAgain(): Promise<void> {
  const child = Bun.spawn([...ownCommand(), "version"], {
    env: {},
    cwd: "/",
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    timeout: MS_MAX,
  });
  if ((await child.exited) === 0) return;
  throw new QfError("ERR_UNAVAILABLE", "the executable does not start again, which each session needs", {
    hint: HINT,
  });
}
