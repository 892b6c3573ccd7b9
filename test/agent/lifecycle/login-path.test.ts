import { afterEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer, type Server as NetServer } from "node:net";
import { dirname, join } from "node:path";
import { Server } from "ssh2";
import { controlSocketPath } from "../../../src/agent/control-socket/control-path.ts";
import { proveLoginPath } from "../../../src/agent/lifecycle/login-path.ts";
import { stdioSocketPath } from "../../../src/agent/listeners/stdio-listener.ts";
import { openKeys, prepareStateDir } from "../../../src/agent/state/state.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { ALGORITHMS, HOST_KEY_ALGORITHMS } from "../../../src/sshcore/algorithms.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const open: NetServer[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function aState() {
  const stateDir = join(tempFolder(), "s");
  const paths = await prepareStateDir(stateDir);
  const { hostKeys } = await openKeys(paths, { mustExist: false });
  const uid = process.geteuid?.() ?? 0;
  const socket = stdioSocketPath(controlSocketPath(paths, { uid, runtimeDir: process.env.XDG_RUNTIME_DIR }));
  mkdirSync(dirname(socket), { recursive: true });
  return { stateDir, hostKeys, socket };
}

async function listen(path: string, hostKeys: readonly { readonly pem: string }[] | null): Promise<void> {
  const algorithms = { ...ALGORITHMS, serverHostKey: [...HOST_KEY_ALGORITHMS] };
  const ssh =
    hostKeys === null
      ? null
      : new Server({ hostKeys: hostKeys.map(({ pem }) => pem), algorithms }, (client) =>
          client.on("error", () => {}),
        );
  const server = createServer((socket) =>
    ssh === null ? socket.end("hello\r\n") : ssh.injectSocket(socket),
  );
  open.push(server);
  server.listen(path);
  await once(server, "listening");
}

const outcome = (stateDir: string): Promise<string> =>
  proveLoginPath(stateDir).then(
    () => "proven",
    (error: unknown) => (isQfError(error) ? error.code : String(error)),
  );

describe("proveLoginPath", () => {
  test("holds where the SSH server answers with the machine's own key", async () => {
    const { stateDir, hostKeys, socket } = await aState();
    await listen(socket, hostKeys);
    expect(await outcome(stateDir)).toBe("proven");
  });

  test("fails where another key answers", async () => {
    const { stateDir, socket } = await aState();
    await listen(socket, (await aState()).hostKeys);
    expect(await outcome(stateDir)).toBe("ERR_UNAVAILABLE");
  });

  test("fails where what answers is no SSH server, or nothing does", async () => {
    const { stateDir, socket } = await aState();
    expect(await outcome(stateDir)).toBe("ERR_UNAVAILABLE");
    await listen(socket, null);
    expect(await outcome(stateDir)).toBe("ERR_UNAVAILABLE");
  });
});
