/**
 * `qf ssh`: from the command line to the remote's exit status. Read `runSsh` first.
 *
 * @module
 */
import { join } from "node:path";
import { VERSION_LINE } from "../base/build-info.ts";
import { nowSeconds, systemClock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { compileHotCode } from "../base/jit-policy.ts";
import { openOutput } from "../base/output.ts";
import { ownUserName } from "../base/own-user.ts";
import { printable } from "../base/printable.ts";
import { SECRET_VARIABLES } from "../client/browser.ts";
import { clientFolderPath } from "../client/client-folder.ts";
import { type Credential, obtainCertificate, offlineLine } from "../client/credential.ts";
import { requireReachable } from "../client/target.ts";
import { processTerminal } from "../client/terminal.ts";
import { prepareSockets } from "../fabric/dial.ts";
import { openPathMemory, PATHS_FILE } from "../fabric/path-memory.ts";
import { dialPeer } from "../fabric/race.ts";
import { UNPROVEN_SENTENCE } from "../policy/sentences.ts";
import { SSH_ENDPOINT_PORT, SSH_PORT } from "../wire/ports.ts";
import { parseSshArgv, type SshInvocation } from "./argv.ts";
import type { Connection } from "./connect.ts";
import { effectiveOptions } from "./effective.ts";
import { sentEnvironment } from "./environment.ts";
import { SSH_HELP, SSH_USAGE } from "./help.ts";
import { EXIT_NO_SESSION, runSession } from "./session.ts";

/** Exit status of a usage mistake. */
const EXIT_USAGE = 2;
/** Default time limit for reaching the peer. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Runs `qf ssh` with its raw arguments. Throws QfErrors; their exit status is 255 for "no session". */
export async function runSsh(args: readonly string[]): Promise<number> {
  let invocation: ReturnType<typeof parseSshArgv>;
  try {
    invocation = parseSshArgv(args);
  } catch (error) {
    if (!(error instanceof QfError)) throw error;
    process.stderr.write(`qf: error: ${error.message}\n`);
    if (error.hint !== undefined) process.stderr.write(`qf: hint: ${error.hint}\n`);
    process.stderr.write(SSH_USAGE);
    return EXIT_USAGE;
  }
  if (invocation === "help") {
    process.stdout.write(SSH_HELP);
    return 0;
  }
  // As ssh(1) does, since programs check these before they use it.
  if (invocation === "version") {
    process.stderr.write(`${VERSION_LINE}\n`);
    return 0;
  }
  if (invocation.printsOptions) {
    process.stdout.write(effectiveOptions(invocation, ownUserName()));
    return 0;
  }
  checkAvailable(invocation);
  for (const line of invocation.passedOver) sayBeside(line, invocation);
  const localUser = invocation.user ?? ownUserName();
  let transport: Promise<typeof import("./connect.ts")> | undefined;
  const loadTransport = () => {
    transport ??= import("./connect.ts");
    return transport;
  };
  const startedMs = performance.now();
  const credential = await obtainCertificate({
    target: invocation.host,
    localUser,
    managementUrl: invocation.managementUrl,
    noBrowser: invocation.noBrowser,
    interactive: !invocation.batchMode,
    reason: invocation.reason,
    offline: () => import("../certificate/offline-client.ts"),
    meanwhile: () => void loadTransport().then(prepareSockets),
  }).catch((error: unknown) => {
    throw beyondPeer(error, invocation);
  });
  if (credential.isOffline) sayBeside(offlineLine(credential.target.name), invocation);
  tracer(invocation)(1, `a certificate after ${msSince(startedMs)} ms`);
  if (invocation.jump !== undefined) {
    sayBeside(`qf: ${credential.target.name} is a peer and reached without ${invocation.jump}`, invocation);
  }
  for (const name of SECRET_VARIABLES) delete process.env[name];
  const connection = await open(await loadTransport(), invocation, credential, localUser);
  const stop = endOnSignals(connection);
  try {
    return await use(connection, invocation);
  } finally {
    stop();
    connection.end();
  }
}

/** Runs everything the connection is for, and resolves to the exit status. */
async function use(connection: Connection, invocation: SshInvocation): Promise<number> {
  compileHotCode();
  const { forwards, stdio, noSession, exitOnForwardFailure } = invocation;
  const isForwarding = forwards.length > 0 || stdio !== undefined;
  // Loaded only when forwarding.
  const { startForwards, runStdioForward } = isForwarding ? await import("./forward.ts") : NO_FORWARDS;
  const running = await startForwards(connection, forwards, {
    exitOnFailure: exitOnForwardFailure,
    say: (line) => sayBeside(line, invocation),
  });
  try {
    if (stdio !== undefined) return await runStdioForward(connection, stdio);
    if (noSession) return await hold(connection);
    const status = await session(connection, invocation);
    // As in ssh(1), the end of the session does not cut off open forwards.
    await Promise.race([running.drained(), connection.closed]);
    return status;
  } finally {
    running.end();
  }
}

const NO_FORWARDS = {
  startForwards: async () => ({ end: () => {}, drained: async () => {} }),
  runStdioForward: async () => EXIT_NO_SESSION,
};

/** Prints a line during a session, whose terminal may be raw. */
function sayBeside(line: string, { quiet }: SshInvocation): void {
  if (!quiet) process.stderr.write(`${printable(line)}${process.stdin.isRaw ? "\r\n" : "\n"}`);
}

function checkAvailable({ port }: SshInvocation): void {
  if (port !== SSH_PORT && port !== SSH_ENDPOINT_PORT) {
    throw new QfError("ERR_PEER_UNREACHABLE", `no SSH server of QuFabric can be at port ${port}`, {
      hint: "leave out -p: peers serve SSH at 22",
    });
  }
}

/** With `-J`, hints at OpenSSH for a host behind the peer that is not a peer itself. */
function beyondPeer(error: unknown, { jump, host }: SshInvocation): unknown {
  if (jump === undefined || !(error instanceof QfError) || error.code !== "ERR_ACCESS_DENIED") return error;
  return new QfError(error.code, error.message, {
    hint:
      `${error.hint ?? ""}; for a host that is no peer: ` +
      `ssh -o ProxyCommand='qf ssh -W %h:%p ${jump}' ${host}`,
    cause: error,
  });
}

/** Socket of the agent to forward. Undefined when there is none or forwarding was not requested. */
function agentPath(invocation: SshInvocation): string | undefined {
  if (!invocation.forwardAgent) return undefined;
  const path = process.env.SSH_AUTH_SOCK;
  if (path !== undefined && path !== "") return path;
  sayBeside("qf: warning: there is no SSH agent here to forward: SSH_AUTH_SOCK is not set", invocation);
  return undefined;
}

/** Dials the peer and speaks SSH. */
async function open(
  { connectSsh }: typeof import("./connect.ts"),
  invocation: SshInvocation,
  credential: Credential,
  localUser: string,
): Promise<Connection> {
  const { target, deviceKey, devicePeerId, scope } = credential;
  requireReachable(target);
  const trace = tracer(invocation);
  trace(1, `${target.name} is ${target.address}, at ${target.direct.join(" ") || "no known address"}`);
  const { stream } = await dialPeer({
    deviceKey,
    scope,
    source: devicePeerId,
    target: target.peerId,
    port: invocation.port,
    checkpoint: credential.checkpoint,
    addresses: target.direct,
    relayPort: target.relayPort,
    nowSeconds: () => nowSeconds(systemClock),
    memory: openPathMemory(join(clientFolderPath(process.env), PATHS_FILE)),
    timeoutMs: (invocation.connectTimeoutSeconds ?? 0) * 1000 || CONNECT_TIMEOUT_MS,
    trace: (line) => trace(1, line),
  });
  const dialledMs = performance.now();
  const connection = await connectSsh({
    stream,
    credential,
    localUser,
    agentPath: agentPath(invocation),
    keepaliveMs: invocation.serverAliveIntervalSeconds * 1000,
    keepaliveCountMax: invocation.serverAliveCountMax,
    onBanner: (text) => {
      if (!invocation.quiet) process.stderr.write(text.endsWith("\n") ? text : `${text}\n`);
    },
    ...(invocation.verbosity >= 2 ? { debug: (line: string) => trace(2, line) } : {}),
  }).catch((error: unknown) => {
    throw credential.isOffline ? offlineRefused(error, target.name) : error;
  });
  trace(1, `signed in as ${localUser} after ${msSince(dialledMs)} ms`);
  return connection;
}

/** A machine does not tell an unauthenticated client whether it accepts offline logins, so explain here. */
function offlineRefused(error: unknown, target: string): unknown {
  if (!(error instanceof QfError) || error.message !== UNPROVEN_SENTENCE) return error;
  return new QfError(error.code, error.message, {
    hint:
      `without management ${target} lets in only with --allow-offline-logins, ` +
      "and while it is cut off too",
    cause: error,
  });
}

function msSince(startedMs: number): number {
  return Math.round(performance.now() - startedMs);
}

function session(connection: Connection, invocation: SshInvocation): Promise<number> {
  return runSession(connection, {
    command: invocation.command,
    pty: wantsPty(invocation),
    escape: invocation.escape,
    env: sentEnvironment(process.env, invocation),
    stdin: invocation.noStdin ? null : process.stdin,
    stdout: openOutput(1),
    stderr: openOutput(2),
    term: process.env.TERM || "dumb",
    forwardAgent: invocation.forwardAgent && Boolean(process.env.SSH_AUTH_SOCK),
    say: (line) => processTerminal.say(line),
  });
}

/**
 * ssh(1)'s rule: a shell gets a terminal if there is one here; -t requests it, -tt forces it, -T refuses it.
 */
function wantsPty(invocation: SshInvocation): boolean {
  const { tty, command, noStdin, quiet } = invocation;
  if (tty === "no") return false;
  if (tty === "force") return true;
  if (tty === "auto" && command !== undefined) return false;
  if (process.stdin.isTTY && !noStdin) return true;
  if (!quiet) {
    processTerminal.say("Pseudo-terminal will not be allocated because stdin is not a terminal.");
  }
  return false;
}

/** `-N`: holds the connection open until it ends or we are stopped. */
async function hold(connection: Connection): Promise<number> {
  const failure = await connection.closed;
  if (failure !== undefined) throw failure;
  return EXIT_NO_SESSION;
}

function endOnSignals(connection: Connection): () => void {
  const end = () => connection.end();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}

function tracer({ verbosity, quiet }: SshInvocation): (level: number, line: string) => void {
  return (level, line) => {
    if (!quiet && verbosity >= level) process.stderr.write(`qf: debug: ${printable(line)}\n`);
  };
}
