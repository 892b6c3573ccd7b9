/**
 * `qf proxy socks`: a loopback proxy for any SSH program of this user. It dials peers, and only peers, as
 * this device.
 *
 * It serves only programs that the kernel says are this user's and that send the name and password generated
 * at the start. It looks up a machine and relays bytes. The program and the person sign in to the machine
 * themselves; to the machine the program is an unmanaged client. Read `serveProgram`.
 *
 * @module
 */
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { nowSeconds } from "../base/clock.ts";
import { knowsConnectionOwners, ownerOfConnection } from "../base/connection-owner.ts";
import { isQfError, QfError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { newSecret } from "../base/random.ts";
import { type ClientSession, openClientSession } from "../client/client-session.ts";
import { parseDialledName } from "../client/peer-name.ts";
import { type FoundTarget, findTarget, registeredDevice, requireReachable } from "../client/target.ts";
import { openPathMemory, PATHS_FILE } from "../fabric/path-memory.ts";
import { dialPeer } from "../fabric/race.ts";
import { joinChecked } from "../sshcore/checked-join.ts";
import { SSH_ENDPOINT_PORT, SSH_PORT } from "../wire/ports.ts";
import { readGreeting } from "./read-greeting.ts";
import type { ProxySecret } from "./socks-greeting.ts";

const LOOPBACK = "127.0.0.1";
/** Most connections at once; further ones are closed. */
const PROGRAMS_MAX = 256;
const CONNECT_TIMEOUT_MS = 10_000;
/** Not a secret, but some programs refuse a password without a name. */
const NAME = "qf";

export interface SocksOptions {
  readonly environment: Record<string, string | undefined>;
  /** Called with the proxy's URLs once it listens. */
  onListening(urls: readonly string[]): void;
  /** Called with the reason when a program is refused. */
  onRefused(line: string): void;
  readonly signal: AbortSignal;
}

/** Serves until `signal` aborts. Throws ERR_LOGIN_REQUIRED before this device was ever registered. */
export async function runSocks(options: SocksOptions): Promise<void> {
  if (!knowsConnectionOwners()) {
    throw new QfError("ERR_UNAVAILABLE", "this system does not say whose program connects", {
      hint: "use qf ssh, or ssh with qf ssh-config",
    });
  }
  const { environment } = options;
  const session = await openClientSession({ environment, interactive: false });
  await registeredDevice(session);
  const secret = { name: NAME, password: newSecret("") };
  const programs = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (program) => {
    program.on("error", () => {});
    if (programs.size >= PROGRAMS_MAX) {
      program.destroy();
      return;
    }
    programs.add(program);
    program.once("close", () => programs.delete(program));
    void serveProgram(program, session, secret, options).finally(() => program.destroySoon());
  });
  await listen(server);
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const place = `${secret.name}:${secret.password}@${LOOPBACK}:${port}`;
  options.onListening([`socks5h://${place}`, `http://${place}`]);
  await aborted(options.signal);
  server.close();
  for (const program of programs) program.destroy();
}

async function serveProgram(
  program: Socket,
  session: ClientSession,
  secret: ProxySecret,
  { onRefused }: SocksOptions,
): Promise<void> {
  try {
    if (!isOwnProgram(program)) throw new QfError("ERR_UNAUTHENTICATED", "a program of another user came");
    const greeting = await readGreeting(program, secret);
    if (greeting === null) return;
    const { host, port, granted, denied, unreachable } = greeting;
    const found = await find(session, host, port).catch((error: unknown) => {
      program.write(denied);
      throw error;
    });
    const peer = await dial(session, found, port).catch((error: unknown) => {
      program.write(unreachable);
      throw error;
    });
    program.write(granted);
    await joinChecked({ program, peer: peer.stream, hostKeys: found.target.hostKeys });
  } catch (error) {
    onRefused(printable(isQfError(error) ? error.message : "a program could not be served"));
  }
}

/** Asks the kernel: another user's program may have learned or guessed the password. */
function isOwnProgram(program: Socket): boolean {
  const { remoteAddress, remotePort, localAddress, localPort } = program;
  if (remoteAddress === undefined || remotePort === undefined) return false;
  if (localAddress === undefined || localPort === undefined) return false;
  const ends = {
    localAddress: remoteAddress,
    localPort: remotePort,
    remoteAddress: localAddress,
    remotePort: localPort,
  };
  return ownerOfConnection(ends) === process.geteuid?.();
}

async function find(session: ClientSession, host: string, port: number): Promise<FoundTarget> {
  const name = parseDialledName(host);
  if (name === undefined) throw new QfError("ERR_USAGE", `${host} cannot be the name of a peer`);
  if (port !== SSH_PORT && port !== SSH_ENDPOINT_PORT) {
    throw new QfError("ERR_PEER_UNREACHABLE", `port ${port} of ${host} is not served, only 22 and 22022`);
  }
  const found = await findTarget(session, name);
  const { target } = found;
  if (target.via !== true) {
    throw new QfError("ERR_UNAVAILABLE", `the agent of ${target.name} is too old for this`);
  }
  if (target.machineIdentity) {
    throw new QfError("ERR_SSH", `${target.name} takes the key of this device, which never leaves qf`);
  }
  requireReachable(target);
  return found;
}

function dial(session: ClientSession, { target, scope, devicePeerId }: FoundTarget, port: number) {
  return dialPeer({
    deviceKey: session.deviceKey,
    scope,
    source: devicePeerId,
    target: target.peerId,
    port,
    via: { by: "socks", localUser: null },
    addresses: target.direct,
    relayPort: target.relayPort,
    nowSeconds: () => nowSeconds(session.clock),
    memory: openPathMemory(join(session.folder.path, PATHS_FILE)),
    timeoutMs: CONNECT_TIMEOUT_MS,
  });
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: LOOPBACK, port: 0 }, () => resolve());
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
