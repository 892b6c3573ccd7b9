/**
 * `qf proxy connect H P`, the ProxyCommand: signs in if needed, gets a certificate for H, writes it where
 * ssh(1) reads it, dials, and hands the connection over. Read `runConnect` first.
 *
 * With `--fdpass` ssh gets the descriptor and we exit before any SSH byte passes; otherwise we relay the
 * bytes. For an ssh that accepts any host key, a helper relays them and checks the key. stdin and stdout
 * carry only the stream.
 *
 * @module
 */
import { fstatSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { nowSeconds, systemClock } from "../base/clock.ts";
import { isQfError, QfError } from "../base/errors.ts";
import { compileHotCode } from "../base/jit-policy.ts";
import { openOutput } from "../base/output.ts";
import { SECRET_VARIABLES } from "../client/browser.ts";
import { clientFolderPath } from "../client/client-folder.ts";
import {
  type Credential,
  type CredentialOptions,
  obtainCertificate,
  offlineLine,
} from "../client/credential.ts";
import { parseDialledName } from "../client/peer-name.ts";
import { requireReachable } from "../client/target.ts";
import { openPathMemory, PATHS_FILE } from "../fabric/path-memory.ts";
import { dialPeer } from "../fabric/race.ts";
import { splice } from "../fabric/splice.ts";
import { joinChecked } from "../sshcore/checked-join.ts";
import { SSH_ENDPOINT_PORT, SSH_PORT } from "../wire/ports.ts";
import { startHostKeyCarrier } from "./host-key-carrier.ts";
import { startKeyCleanup, UNKNOWN_PID } from "./keys/key-cleanup.ts";
import { dropKey, forgetReader, publishKey } from "./keys/key-files.ts";
import { openOpensshFolder } from "./keys/openssh-folder.ts";
import { opensshPrivateKey } from "./keys/openssh-key.ts";
import { passDescriptor, peekSocket } from "./native.ts";
import { type Carried, startCarrier } from "./relay-carrier.ts";
import { withSignInTurn } from "./sign-in-turn.ts";
import { checkCaller, findCaller, localUserOf } from "./ssh-caller.ts";
import { keepHostKeys } from "./ssh-config/known-hosts.ts";
import { noteShortName } from "./ssh-config/short-names.ts";
import { proxyTerminal } from "./terminal.ts";

/** Time limit for reaching the peer. ssh(1) has its own ConnectTimeout. */
const CONNECT_TIMEOUT_MS = 10_000;
const STDIN_FD = 0;

export interface ConnectRequest {
  /** The host as ssh(1) passed it. */
  readonly host: string;
  readonly port: string;
  /** Pass the descriptor over stdin and stdout, which then are one unix socket. */
  readonly passesDescriptor: boolean;
  readonly configDir: string | undefined;
}

/** Resolves when ssh has the connection, or the bytes have ended. Throws failures meant for people. */
export async function runConnect(request: ConnectRequest): Promise<number> {
  const host = checkHost(request.host);
  const port = checkPort(request.port);
  const passes = request.passesDescriptor && isSocket(STDIN_FD);
  const environment = environmentOf(request);
  const folder = openOpensshFolder(process.env, request.configDir);
  const caller = findCaller();
  const checker = await checkCaller({ caller, host, folder, environment: process.env });
  const options = {
    target: host,
    localUser: "",
    environment,
    terminal: proxyTerminal,
    waitsForApproval: true,
    findLocalUser: async () => (caller === undefined ? undefined : localUserOf(caller, host, process.env)),
    offline: () => import("../certificate/offline-client.ts"),
  };
  const credential = await obtain(options, folder);
  if (credential.isOffline) proxyTerminal.say(offlineLine(credential.target.name));
  for (const name of SECRET_VARIABLES) delete process.env[name];
  checkTarget(credential.target);
  keepHostKeys(folder, host, credential.target);
  if (!credential.isOffline) noteShortName(folder, credential.target);
  const dialled = dial({ credential, port, passes }, environment);
  dialled.catch(() => {}); // It is awaited below; publishing may fail first.
  const readerPid = caller?.pid;
  const turn = await publishKey(folder, host, { ...keyFileOf(credential), readerPid }, systemClock);
  const peer = await dialled.catch((error: unknown) => {
    if (turn !== undefined) dropKey(folder, host);
    if (readerPid !== undefined) forgetReader(folder, host, readerPid);
    throw error;
  });
  if (turn !== undefined) startKeyCleanup({ folder, host, sshPid: caller?.pid ?? UNKNOWN_PID, ...turn });
  if (!passes && !("descriptor" in peer)) {
    compileHotCode();
    if (checker === "qf") await carryChecked(peer, credential.target.hostKeys);
    else await splice(peer, process.stdin, openOutput(1));
    return 0;
  }
  const fd = "descriptor" in peer ? peer.descriptor : descriptorOf(peer as Socket);
  passDescriptor(STDIN_FD, checker === "qf" ? startHostKeyCarrier(fd, credential.target.hostKeys) : fd);
  return 0;
}

/** Tries without prompting first. Prompts under a lock, so that parallel connections do not ask the same. */
async function obtain(options: CredentialOptions, folder: string): Promise<Credential> {
  try {
    return await obtainCertificate({ ...options, interactive: false, asksReason: true });
  } catch (error) {
    if (!isQfError(error, "ERR_LOGIN_REQUIRED")) throw error;
  }
  return withSignInTurn(options, folder, () => obtainCertificate(options));
}

/** Relays bytes between ssh and the peer, and checks the host key, since ssh may not. */
function carryChecked(peer: Duplex, hostKeys: readonly string[]): Promise<void> {
  const program = Duplex.from({ readable: process.stdin, writable: openOutput(1) });
  return joinChecked({ program, peer, hostKeys });
}

function environmentOf({ configDir }: ConnectRequest): Record<string, string | undefined> {
  return configDir === undefined ? process.env : { ...process.env, QF_CONFIG_DIR: configDir };
}

function checkHost(typed: string): string {
  const host = parseDialledName(typed);
  if (host !== undefined) return host;
  throw new QfError("ERR_USAGE", "that cannot be the name of a peer", {
    hint: "peers have names of letters, digits, - and dots, or addresses in 100.64.0.0/10",
  });
}

function checkPort(typed: string): number {
  if (typed === String(SSH_PORT)) return SSH_PORT;
  if (typed === String(SSH_ENDPOINT_PORT)) return SSH_ENDPOINT_PORT;
  throw new QfError("ERR_PEER_UNREACHABLE", "no SSH server of QuFabric can be at that port", {
    hint: "leave out -p: peers serve SSH at 22",
  });
}

function checkTarget(target: Credential["target"]): void {
  if (target.machineIdentity) {
    throw new QfError("ERR_SSH", `${target.name} takes the key of this device, which never leaves qf`, {
      hint: `use qf ssh ${target.name}`,
    });
  }
  requireReachable(target);
}

function keyFileOf({ loginKey, certificateBlob, isLoginKept }: Credential) {
  return { text: opensshPrivateKey(loginKey, certificateBlob), isKept: isLoginKept };
}

/**
 * Dials the peer. Returns the connection, or for `--fdpass` possibly the descriptor of one that a helper
 * relays.
 */
async function dial(
  { credential, port, passes }: { credential: Credential; port: number; passes: boolean },
  environment: Record<string, string | undefined>,
): Promise<Duplex | Carried> {
  const { target, deviceKey, devicePeerId: source, scope } = credential;
  const options = {
    deviceKey,
    scope,
    source,
    target: target.peerId,
    port,
    checkpoint: credential.checkpoint,
    addresses: target.direct,
    nowSeconds: () => nowSeconds(systemClock),
    memory: openPathMemory(join(clientFolderPath(environment), PATHS_FILE)),
    timeoutMs: CONNECT_TIMEOUT_MS,
  };
  if (!passes) return (await dialPeer(options)).stream;
  const peek = (open: Socket) => peekSocket(descriptorOf(open));
  return (await dialPeer({ ...options, peek, relay: startCarrier })).stream;
}

/** The descriptor of an open socket, which Bun keeps on the handle. */
function descriptorOf(socket: Socket): number {
  const fd = (socket as unknown as { _handle?: { fd?: unknown } })._handle?.fd;
  if (typeof fd === "number" && fd > 2) return fd;
  throw new QfError("ERR_SSH", "the connection to the peer was lost");
}

function isSocket(fd: number): boolean {
  return fstatSync(fd).isSocket();
}
