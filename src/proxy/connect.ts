/**
 * `qf proxy connect H P`, the ProxyCommand: signs in if needed and gets a certificate for H. Then
 * `hand-over.ts` writes it where ssh(1) reads it, dials, and hands the connection over. Read `runConnect`
 * first.
 *
 * With `--fdpass` ssh gets the descriptor and we exit before any SSH byte passes; otherwise we relay the
 * bytes. For an ssh that accepts any host key, a helper relays them and checks the key. stdin and stdout
 * carry only the stream.
 *
 * @module
 */
import { fstatSync } from "node:fs";
import { isQfError, QfError } from "../base/errors.ts";
import { SECRET_VARIABLES } from "../client/browser.ts";
import {
  type Credential,
  type CredentialOptions,
  obtainCertificate,
  offlineLine,
} from "../client/credential.ts";
import { parseDialledName } from "../client/peer-name.ts";
import { SSH_ENDPOINT_PORT, SSH_PORT } from "../wire/ports.ts";
import { openOpensshFolder } from "./keys/openssh-folder.ts";
import { withSignInTurn } from "./sign-in-turn.ts";
import { checkCaller, findCaller, localUserOf } from "./ssh-caller.ts";
import { proxyTerminal } from "./terminal.ts";

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
    meanwhile: () => void loadHandOver().then(({ prepare }) => prepare()),
  };
  const credential = await obtain(options, folder);
  if (credential.isOffline) proxyTerminal.say(offlineLine(credential.target.name));
  for (const name of SECRET_VARIABLES) delete process.env[name];
  const { handOver } = await loadHandOver();
  await handOver({ credential, host, port, passes, folder, environment, caller, checker });
  return 0;
}

let handingOver: Promise<typeof import("./hand-over.ts")> | undefined;

/** Loaded while management makes the certificate. */
function loadHandOver() {
  handingOver ??= import("./hand-over.ts");
  return handingOver;
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

function isSocket(fd: number): boolean {
  return fstatSync(fd).isSocket();
}
