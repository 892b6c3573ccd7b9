/**
 * What OpenSSH meets behind `qf proxy`, small: a management server that signs in whoever asks, and a
 * machine that takes a hello and is Debian's sshd behind it, which trusts the certificates. sshd checks
 * for itself that key and certificate belong together.
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "../../src/base/random.ts";
import { type DropIn, renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import { HELLO_PREFIX } from "../../src/wire/hello.ts";
import { openSshd, type Sshd } from "../bench/sshd.ts";
import { ca, options as certificateOptions, names, rawCertificate } from "./certificates.ts";
import { executablePath } from "./executable.ts";
import { ownName } from "./os-accounts.ts";
import { type RunOptions, type RunResult, runProcess } from "./run-process.ts";

export const DOMAIN = "qf.internal";
export const PEER = `web1.${DOMAIN}`;
export const PEER_ADDRESS = "100.64.0.9";
const PEER_ID = "machine0000000000000";
/** As large as ID tokens of big providers are. */
const TOKEN = `eyJhbGciOiJFZERTQSJ9.${"e".repeat(6_000)}.c2ln`;

export interface ProxyLab extends AsyncDisposable {
  readonly executable: string;
  readonly root: string;
  readonly url: string;
  readonly sshd: Sshd;
  /** Paths of requests, in order. */
  readonly requests: string[];
  /** Login keys that were certified. */
  readonly loginKeys: ReadonlySet<string>;
  /** Hello lines the machine took. */
  readonly hellos: string[];
  readonly hostKeys: readonly string[];
  /** What management says of the machine unless told otherwise. */
  readonly target: Readonly<Record<string, unknown>>;
  /** Changes what management says of the machine, or denies. */
  say(change: Readonly<Record<string, unknown>>): void;
  person(name: string, ttlSeconds: number): Person;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One person's home on this machine with our drop-in. */
export interface Person {
  readonly home: string;
  readonly configPath: string;
  env(extra?: Record<string, string>): Record<string, string>;
  run(command: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** `ssh -F <drop-in> …`. */
  ssh(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Names in the folder that ssh reads from. */
  keyFiles(): string[];
}

/** Starts both; the executable is built when needed. */
export async function openProxyLab(): Promise<ProxyLab> {
  const root = mkdtempSync(join(tmpdir(), "qf-proxy-"));
  chmodSync(root, 0o755);
  writeFileSync(join(root, "ca.pub"), `ssh-ed25519 ${ca.publicKey}\n`);
  const sshd = await openSshd(
    [
      `TrustedUserCAKeys ${join(root, "ca.pub")}`,
      "AllowStreamLocalForwarding yes",
      "AcceptEnv LANG LC_*",
      // bash reads ~/.bashrc under sshd in an outermost shell only; what root's says is no part of a test.
      "SetEnv SHLVL=1",
    ].join("\n"),
  );
  const scan = Bun.spawnSync(["ssh-keyscan", "-t", "ed25519", "-p", String(sshd.port), "127.0.0.1"]);
  const hostKey = scan.stdout.toString().trim().split(" ")[2] ?? "";
  const hellos: string[] = [];
  const machine = await openMachine(sshd.port, hellos);
  const requests: string[] = [];
  const target: Record<string, unknown> = {
    peerId: PEER_ID,
    name: PEER,
    address: PEER_ADDRESS,
    hostKeys: [hostKey],
    direct: [machine.address],
    connected: true,
    sshServer: true,
    machineIdentity: false,
  };
  const said: Record<string, unknown> = {};
  const logins = new Set<string>();
  const management = openManagement({ requests, target, said, logins });
  const url = `http://127.0.0.1:${management.port}`;
  const executable = await executablePath();
  return {
    executable,
    root,
    url,
    sshd,
    requests,
    loginKeys: logins,
    hellos,
    hostKeys: [hostKey],
    target,
    say: (change) => void Object.assign(said, change),
    person: (name, ttlSeconds) => openPerson({ executable, root, url, name, ttlSeconds }),
    async [Symbol.asyncDispose]() {
      await management.stop(true);
      machine.close();
      await sshd[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function openPerson(about: {
  executable: string;
  root: string;
  url: string;
  name: string;
  ttlSeconds: number;
}): Person {
  const { executable, root, url, name, ttlSeconds } = about;
  const home = join(root, name);
  const configDir = join(home, ".config/qufabric");
  mkdirSync(configDir, { recursive: true, mode: 0o700 });
  const config = { format: 1, managementUrl: url, ttlSeconds, devices: {} };
  writeFileSync(join(configDir, "config.json"), JSON.stringify(config), { mode: 0o600 });
  const configPath = join(home, "ssh_config");
  const dropIn: DropIn = { executable, domain: DOMAIN, configDir: undefined, shortNames: false };
  writeFileSync(configPath, `${renderDropIn(dropIn)}Host *\n  User ${ownName()}\n  BatchMode yes\n`);
  const env = (extra: Record<string, string> = {}) => ({
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: home,
    QF_NO_BROWSER: "1",
    QF_AGENT_STATE_DIR: join(root, "no-agent"),
    ...extra,
  });
  const run = (command: readonly string[], options: RunOptions = {}) =>
    runProcess(command, { cwd: root, timeoutMs: 60_000, ...options, env: env(options.env) });
  return {
    home,
    configPath,
    env,
    run,
    ssh: (args, options) => run(["ssh", "-F", configPath, ...args], options),
    keyFiles: () =>
      readdirSync(join(configDir, "openssh")).filter((file) => !/_(?:turn|sign-in|checked)$/.test(file)),
  };
}

/** Takes a hello line, then is sshd. */
async function openMachine(sshdPort: number, hellos: string[]) {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.once("data", (chunk: Buffer) => {
      const end = chunk.indexOf(0x0a);
      const line = chunk.toString("utf8", 0, end);
      if (!line.startsWith(HELLO_PREFIX)) return void socket.destroy();
      hellos.push(line);
      const sshd = connect({ host: "127.0.0.1", port: sshdPort, noDelay: true });
      sockets.add(sshd);
      sshd.on("error", () => socket.destroy()).on("close", () => sockets.delete(sshd));
      sshd.write(chunk.subarray(end + 1));
      socket.pipe(sshd);
      sshd.pipe(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as { port: number }).port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** `/client/v1`, as far as a client needs it. A login is approved by asking for it. */
function openManagement({
  requests,
  target,
  said,
  logins,
}: {
  logins: Set<string>;
  requests: string[];
  target: Record<string, unknown>;
  said: Record<string, unknown>;
}) {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, origin } = new URL(request.url);
      requests.push(pathname);
      const body = request.method === "POST" ? ((await request.json()) as Record<string, unknown>) : {};
      if (pathname === "/client/v1/config") return Response.json(clientConfig(origin));
      if (pathname === "/client/v1/challenges") {
        const challenge = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
        return Response.json({ challenge, expiresAtSeconds: nowSeconds() + 60 });
      }
      if (pathname === "/client/v1/hosted") {
        return Response.json({
          id: newId(),
          url: `${origin}/approve-me`,
          pollSecret: "abcd",
          confirmation: "click",
          expiresAtSeconds: nowSeconds() + 300,
        });
      }
      if (pathname.endsWith("/claim")) {
        const loginId = newId();
        return Response.json({ status: "approved", proof: { kind: "claimed", loginId } });
      }
      if (pathname === "/client/v1/devices") {
        logins.add(String(body.loginKey));
        return Response.json({
          peerId: "device00000000000000",
          name: "laptop",
          address: "100.64.0.2",
          user: { id: "user0000000000000000", name: "Ada", email: "ada@example.com" },
          loginId: newId(),
          binding: "ca",
          loginUntilSeconds: nowSeconds() + 3_600,
          deviceStatus: "active",
        });
      }
      if (pathname !== "/client/v1/certificates") return new Response("", { status: 404 });
      if (said.denied !== undefined) return Response.json(said.denied);
      if (!logins.has(String(body.loginKey))) return new Response("", { status: 401 });
      return Response.json({
        outcome: "issued",
        certificate: certificate(String(body.loginKey)).toString("base64"),
        target: { ...target, ...said },
        principals: ["*"],
        validUntilSeconds: nowSeconds() + 120,
      });
    },
  });
}

function certificate(loginKey: string): Buffer {
  return rawCertificate({
    loginKey: Buffer.from(loginKey, "base64url"),
    principals: names(ownName()),
    validAfter: BigInt(nowSeconds() - 30),
    validBefore: BigInt(nowSeconds() + 120),
    critical: certificateOptions(),
    extensions: certificateOptions(
      ["id-token@qufabric", TOKEN],
      ["permit-X11-forwarding", Buffer.alloc(0)],
      ["permit-agent-forwarding", Buffer.alloc(0)],
      ["permit-port-forwarding", Buffer.alloc(0)],
      ["permit-pty", Buffer.alloc(0)],
    ),
  });
}

function clientConfig(origin: string) {
  return {
    protocolVersion: 1,
    accountId: "account0000000000000",
    origin,
    domain: DOMAIN,
    oidc: { issuer: `${origin}/idp`, clientId: "qf", scope: "openid", loopback: false, promptLogin: true },
    loginConfirmation: "click",
    loginSecondsMax: 43_200,
  };
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
