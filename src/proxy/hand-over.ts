/**
 * The second half of `qf proxy connect`: with a certificate for the peer, publishes key and host keys for
 * ssh(1), dials, and hands the connection over. Read `handOver` first.
 *
 * A module of its own, which loads while management makes the certificate.
 *
 * @module
 */
import type { Socket } from "node:net";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { nowSeconds, systemClock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { compileHotCode } from "../base/jit-policy.ts";
import { openOutput } from "../base/output.ts";
import { platform } from "../base/platform/platform.ts";
import { clientFolderPath } from "../client/client-folder.ts";
import type { Credential } from "../client/credential.ts";
import { requireReachable } from "../client/target.ts";
import { prepareSockets } from "../fabric/dial.ts";
import { openPathMemory, PATHS_FILE } from "../fabric/path-memory.ts";
import { dialPeer } from "../fabric/race.ts";
import { splice } from "../fabric/splice.ts";
import { joinChecked } from "../sshcore/checked-join.ts";
import { startHostKeyCarrier } from "./host-key-carrier.ts";
import { startKeyCleanup, UNKNOWN_PID } from "./keys/key-cleanup.ts";
import { publishKey } from "./keys/key-files.ts";
import { dropKey, forgetReader } from "./keys/key-readers.ts";
import { opensshPrivateKey } from "./keys/openssh-key.ts";
import { publishStaying } from "./keys/staying-key.ts";
import { passDescriptor, peekSocket } from "./native.ts";
import { type Carried, startCarrier } from "./relay-carrier.ts";
import type { Caller, HostKeyChecker } from "./ssh-caller.ts";
import { keepHostKeys } from "./ssh-config/known-hosts.ts";
import { noteShortName } from "./ssh-config/short-names.ts";
import { keepKnownHostsFile } from "./ssh-config/windows-known-hosts.ts";

/** Time limit for reaching the peer. ssh(1) has its own ConnectTimeout. */
const CONNECT_TIMEOUT_MS = 10_000;
const STDIN_FD = 0;
/**
 * After its key exchange ssh(1) sends fewer bytes than this and a certificate until it has signed: its first
 * messages, and the question whether the certificate is taken. With the signature, or with the messages that
 * follow where it does not ask, it sends more.
 */
const SIGNED_BYTES = 600;

export interface HandOver {
  readonly credential: Credential;
  readonly host: string;
  readonly port: number;
  /** Pass the descriptor over stdin and stdout, which then are one unix socket. */
  readonly passes: boolean;
  readonly folder: string;
  readonly environment: Record<string, string | undefined>;
  /** The ssh that waits. Undefined: unknown. */
  readonly caller: Caller | undefined;
  readonly checker: HostKeyChecker;
}

/** Does what can be done before the certificate is there. */
export const prepare = prepareSockets;

/** Resolves when ssh has the connection, or the bytes have ended. */
export async function handOver(order: HandOver): Promise<void> {
  const { credential, host, port, passes, folder, environment, caller, checker } = order;
  checkTarget(credential.target);
  keepHostKeys(folder, host, credential.target);
  if (platform.openssh === "windows") keepKnownHostsFile(folder, host, credential.target);
  if (!credential.isOffline) noteShortName(folder, credential.target);
  const dialled = dial({ credential, port, passes }, environment);
  dialled.catch(() => {}); // It is awaited below; publishing may fail first.
  if (!platform.seesReads) return stay({ folder, host, credential, dialled });
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
    return;
  }
  const fd = "descriptor" in peer ? peer.descriptor : descriptorOf(peer as Socket);
  passDescriptor(STDIN_FD, checker === "qf" ? startHostKeyCarrier(fd, credential.target.hostKeys) : fd);
}

interface Staying {
  readonly folder: string;
  readonly host: string;
  readonly credential: Credential;
  readonly dialled: Promise<Duplex | Carried>;
}

/** On a system where ssh(1) gets no connection from us: we carry its bytes, and check the host key. */
async function stay({ folder, host, credential, dialled }: Staying): Promise<void> {
  const key = await publishStaying(folder, host, keyFileOf(credential).text, systemClock);
  try {
    compileHotCode();
    const signed = { bytes: credential.certificateBlob.length + SIGNED_BYTES, reached: key.remove };
    await carryChecked((await dialled) as Duplex, credential.target.hostKeys, signed);
  } finally {
    key.remove();
  }
}

/** Relays bytes between ssh and the peer, and checks the host key, since ssh may not. */
function carryChecked(
  peer: Duplex,
  hostKeys: readonly string[],
  milestone?: Parameters<typeof joinChecked>[0]["milestone"],
): Promise<void> {
  const program = Duplex.from({ readable: process.stdin, writable: openOutput(1) });
  return joinChecked({ program, peer, hostKeys, ...(milestone === undefined ? {} : { milestone }) });
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
    relayPort: target.relayPort,
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
