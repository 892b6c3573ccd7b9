/**
 * A whole QuFabric on this machine: management, agents, people and their devices, each a real
 * process of the compiled executable with folders of its own, all on loopback with free ports.
 *
 * `await using lab = await openLab()`: leaving the scope ends every process and removes every file.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { askStatus } from "../../src/agent/control-socket/control-client.ts";
import type { AgentStatus } from "../../src/wire/control.ts";
import { executablePath } from "./executable.ts";
import { killAllOn, onInterrupt } from "./interrupt.ts";
import { LabTerminal } from "./lab-terminal.ts";
import { firstLine, type RunOptions, type RunResult, runProcess } from "./run-process.ts";
import { type Credentials, signIn, type Visit } from "./sign-in.ts";

export interface Person extends Credentials {
  readonly id: string;
}

/** A process that goes on; `kill` is `kill -9`. */
export interface Running {
  readonly process: Bun.Subprocess;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export const OWNER: Credentials = { email: "owner@example.com", password: "correct horse battery" };
const BROWSER_SCRIPT = resolve(import.meta.dir, "sign-in.ts");

/** Builds the executable when needed and starts management with an owner. */
export async function openLab(
  options: { serveArgs?: readonly string[]; start?: boolean } = {},
): Promise<Lab> {
  const lab = new Lab(await executablePath(), mkdtempSync(join(tmpdir(), "qf-lab-")));
  if (options.start === false) return lab;
  try {
    await lab.initManagement();
    await lab.serveManagement(options.serveArgs ?? []);
    return lab;
  } catch (cause) {
    await lab[Symbol.asyncDispose]();
    throw cause;
  }
}

export class Lab {
  readonly executable: string;
  readonly root: string;
  readonly dataDir: string;
  url = "";
  issuer = "";
  token = "";
  accountId = "";
  ownerId = "";
  management: Running | undefined;
  readonly #running = new Set<Running>();
  readonly #agents = new Set<LabAgent>();
  readonly #forget: () => void;

  constructor(executable: string, root: string) {
    this.executable = executable;
    this.root = root;
    this.dataDir = join(root, "management");
    this.#forget = onInterrupt(() => this.#interrupt());
  }

  /** Environment of every process: nothing of the caller's but PATH. */
  env(extra: Record<string, string> = {}): Record<string, string> {
    const home = join(this.root, "home");
    mkdirSync(home, { recursive: true });
    return {
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      HOME: home,
      LANG: "C.UTF-8",
      QF_DISABLE_SSH_CONFIG: "1",
      // Everybody here is 127.0.0.1, and many are meant to fail; OpenSSH's own tests turn them off as well.
      QF_SSH_PER_SOURCE_PENALTIES: "no",
      QF_AGENT_STATE_DIR: join(this.root, "no-agent"),
      ...extra,
    };
  }

  /** Runs `qf` to its end. */
  async qf(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return runProcess([this.executable, ...args], { ...options, env: this.env(options.env) });
  }

  async initManagement(): Promise<void> {
    const args = ["management", "init", "--data-dir", this.dataDir, "--owner-email", OWNER.email];
    const result = await this.qf([...args, "--owner-password-stdin"], { stdin: `${OWNER.password}\n` });
    if (result.exitCode !== 0) throw new Error(`management init failed: ${result.stderr}`);
    const { accountId, ownerId, token } = JSON.parse(result.stdout);
    Object.assign(this, { accountId, ownerId, token });
  }

  /** Starts management; the second time on the port of the first. */
  async serveManagement(args: readonly string[] = []): Promise<void> {
    const listen = this.url === "" ? "127.0.0.1:0" : new URL(this.url).host;
    const base = [this.executable, "management", "serve", "--data-dir", this.dataDir, "--listen", listen];
    const log = join(this.root, `management.log`);
    const child = Bun.spawn([...base, ...args], {
      env: this.env(),
      cwd: this.root,
      stdin: "ignore",
      stdout: "pipe",
      stderr: Bun.file(log),
    });
    this.management = this.#track(child);
    const line = await firstLine(child.stdout, 20_000).catch((cause) => {
      throw new Error(`management did not start: ${existsSync(log) ? readFileSync(log, "utf8") : ""}`, {
        cause,
      });
    });
    const ready = JSON.parse(line);
    this.url = ready.url;
    this.issuer = ready.issuer;
  }

  managementLog(): string {
    return readFileSync(join(this.root, "management.log"), "utf8");
  }

  /** A REST call as the owner, or with another token. Throws unless the answer is 2xx. */
  async api<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    token = this.token,
  ): Promise<T> {
    const response = await this.apiResponse(method, path, body, token);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  apiResponse(method: string, path: string, body?: unknown, token = this.token): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Token ${token}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async createGroup(name: string, peers: readonly string[] = []): Promise<string> {
    return (await this.api<{ id: string }>("POST", "/api/groups", { name, peers })).id;
  }

  /** A person of the embedded provider in `groups` (ids). */
  async createPerson(email: string, groups: readonly string[] = []): Promise<Person> {
    const body = {
      email,
      name: email.split("@")[0],
      role: "user",
      auto_groups: groups,
      is_service_user: false,
    };
    const user = await this.api<{ id: string; invite_link: string }>("POST", "/api/users", body);
    const password = randomBytes(12).toString("base64url");
    const form = new URLSearchParams({ new_password: password, repeated: password });
    // By the way that the lab itself has to management.
    const page = `${this.url}${new URL(user.invite_link).pathname}`;
    const chosen = await fetch(page, { method: "POST", body: form });
    if (!chosen.ok) throw new Error(`the invitation: ${chosen.status} ${await chosen.text()}`);
    return { id: user.id, email, password };
  }

  async setGroups(
    person: Person,
    groups: readonly string[],
    change: Record<string, unknown> = {},
  ): Promise<void> {
    const body = { role: "user", auto_groups: groups, is_blocked: false, ...change };
    await this.api("PUT", `/api/users/${person.id}`, body);
  }

  /** An SSH policy of one rule; `rule` overrides its fields. Gives back the policy. */
  async createPolicy(
    name: string,
    sources: readonly string[],
    destinations: readonly string[],
    rule: Record<string, unknown> = {},
  ): Promise<LabPolicy> {
    return this.api<LabPolicy>("POST", "/api/policies", policyBody(name, sources, destinations, rule));
  }

  async createSetupKey(
    groups: readonly string[] = [],
    type: "one-off" | "reusable" = "reusable",
  ): Promise<string> {
    const body = {
      name: "key",
      type,
      expires_in: 86_400,
      auto_groups: groups,
      usage_limit: type === "one-off" ? 1 : 0,
    };
    return (await this.api<{ key: string }>("POST", "/api/setup-keys", body)).key;
  }

  /** Enrols and starts an agent as a user would; in `groups` by its setup key. */
  async startAgent(name: string, options: AgentOptions = {}): Promise<LabAgent> {
    const agent = new LabAgent(this, name);
    this.#agents.add(agent);
    const key = options.setupKey ?? (await this.createSetupKey(options.groups ?? []));
    await agent.up(["--management-url", this.url, "--setup-key", key, ...(options.args ?? [])]);
    return agent;
  }

  /** A device of `person`, signing in through a browser by itself. */
  device(person: Credentials, name: string): LabDevice {
    return new LabDevice(this, person, name);
  }

  /** Waits until `check` gives something. */
  async until<T>(what: string, check: () => Promise<T | undefined | false>, timeoutMs = 10_000): Promise<T> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
      await Bun.sleep(25);
    }
  }

  /** Audit events, newest first. */
  events(query = "limit=500"): Promise<LabEvent[]> {
    return this.api<LabEvent[]>("GET", `/api/events/audit?${query}`);
  }

  #track(child: Bun.Subprocess): Running {
    const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
      this.#running.delete(running);
      child.kill(signal);
      await Promise.race([child.exited, Bun.sleep(10_000).then(() => child.kill("SIGKILL"))]);
      await child.exited;
    };
    const running: Running = { process: child, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
    this.#running.add(running);
    return running;
  }

  /** Ends what is only just starting as well, of which nobody here knows yet. */
  async #interrupt(): Promise<void> {
    killAllOn(this.root);
    await this[Symbol.asyncDispose]();
    killAllOn(this.root);
    rmSync(this.root, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget();
    const agents = [...this.#agents];
    this.#agents.clear();
    await Promise.all(agents.map((agent) => agent.kill()));
    await Promise.all([...this.#running].map((running) => running.kill()));
    rmSync(this.root, { recursive: true, force: true });
  }
}

export interface LabPolicy {
  readonly id: string;
  readonly rules: readonly { readonly id: string }[];
  readonly warnings?: readonly string[];
}

export interface LabEvent {
  readonly id: string;
  readonly activity_code: string;
  readonly initiator_id: string;
  readonly target_id: string;
  readonly meta: Record<string, string>;
  readonly data?: Record<string, unknown>;
}

export interface AgentOptions {
  readonly groups?: readonly string[];
  readonly setupKey?: string;
  readonly args?: readonly string[];
}

/** Body of a policy with one SSH rule. */
export function policyBody(
  name: string,
  sources: readonly string[],
  destinations: readonly string[],
  rule: Record<string, unknown> = {},
): Record<string, unknown> {
  const defaults = { name, enabled: true, action: "accept", bidirectional: false, protocol: "qufabric-ssh" };
  return { name, enabled: true, rules: [{ ...defaults, sources, destinations, ...rule }] };
}

/** A machine: one agent with a state folder of its own. */
export class LabAgent {
  readonly lab: Lab;
  readonly name: string;
  readonly stateDir: string;

  constructor(lab: Lab, name: string) {
    this.lab = lab;
    this.name = name;
    this.stateDir = join(lab.root, `agent-${name}`);
  }

  /** `qf agent up`, detached, with SSH on and a free port unless `args` say otherwise. */
  async up(args: readonly string[] = []): Promise<void> {
    const result = await this.tryUp(args);
    if (result.exitCode !== 0)
      throw new Error(`agent ${this.name} did not start: ${result.stderr}\n${this.log()}`);
  }

  tryUp(args: readonly string[] = [], env: Record<string, string> = {}): Promise<RunResult> {
    const has = (flag: string): boolean => args.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
    const name = has("--name") ? [] : ["--name", this.name];
    const base = ["agent", "up", "--state-dir", this.stateDir, ...name];
    const listen = has("--listen") ? [] : ["--listen", "127.0.0.1:0"];
    const ssh = has("--allow-server-ssh") ? [] : ["--allow-server-ssh"];
    return this.lab.qf([...base, ...listen, ...ssh, ...args], { timeoutMs: 45_000, env });
  }

  down(): Promise<RunResult> {
    return this.lab.qf(["agent", "down", "--state-dir", this.stateDir]);
  }

  /** The answer that `qf agent status --json` prints, without a process for each look at it. */
  async status(): Promise<AgentStatus> {
    const status = await askStatus(this.stateDir);
    if (status === undefined) throw new Error(`no agent runs on ${this.stateDir}`);
    return status;
  }

  /** `kill -9` of the agent process, if it runs. */
  async kill(): Promise<void> {
    const status = await this.status().catch(() => undefined);
    if (status === undefined) return;
    try {
      process.kill(status.pid, "SIGKILL");
    } catch {
      return;
    }
    while (existsSync(`/proc/${status.pid}`) && !isZombie(status.pid)) await Bun.sleep(10);
  }

  log(): string {
    const path = join(this.stateDir, "agent.log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }
}

/** One person on one device: a config folder of its own. */
export class LabDevice {
  readonly lab: Lab;
  readonly person: Credentials;
  readonly configDir: string;

  constructor(lab: Lab, person: Credentials, name: string) {
    this.lab = lab;
    this.person = person;
    this.configDir = join(lab.root, `device-${name}`);
    mkdirSync(this.configDir, { recursive: true, mode: 0o700 });
  }

  env(extra: Record<string, string> = {}): Record<string, string> {
    return {
      QF_CONFIG_DIR: this.configDir,
      QF_MANAGEMENT_URL: this.lab.url,
      // Not in the folder where qf runs: Bun itself, which this browser is, reads what lies there.
      BROWSER: `env -C / ${process.execPath} ${BROWSER_SCRIPT}`,
      QF_TEST_EMAIL: this.person.email,
      QF_TEST_PASSWORD: this.person.password,
      ...extra,
    };
  }

  qf(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return this.lab.qf(args, { ...options, env: this.env(options.env) });
  }

  /** `qf ssh …`. */
  ssh(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return this.qf(["ssh", ...args], options);
  }

  /** Signs in once for `ttlSeconds`, so that later commands need no browser. */
  async login(ttlSeconds = 3600): Promise<void> {
    // With the cause in the error, so that one that happens once in a thousand times names itself.
    const env = { QF_DEBUG: "1" };
    const result = await this.qf(["login", "--ssh-jwt-cache-ttl", String(ttlSeconds)], { env });
    if (result.exitCode === 0) return;
    const log = this.lab.managementLog().split("\n").slice(-20).join("\n");
    throw new Error(`login failed: ${result.stderr}\nmanagement said last:\n${log}`);
  }

  /** Starts `qf …` and leaves it running; the caller ends it. */
  spawn(args: readonly string[], env: Record<string, string> = {}): Bun.Subprocess<"pipe", "pipe", "pipe"> {
    return Bun.spawn([this.lab.executable, ...args], {
      env: this.lab.env(this.env(env)),
      cwd: this.lab.root,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
  }

  /** Runs `qf …` on a terminal, as a person at a keyboard. */
  terminal(args: readonly string[], env: Record<string, string> = {}): LabTerminal {
    return new LabTerminal(
      [this.lab.executable, ...args],
      this.lab.env(this.env({ TERM: "xterm", ...env })),
      this.lab.root,
    );
  }

  /** Approves a hosted login in another browser: what its code page shows. */
  approve(url: string): Promise<Visit> {
    return signIn(url, { email: this.person.email, password: this.person.password });
  }
}

function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

/** Writes `text` under the lab's root and gives back the path. */
export function labFile(lab: Lab, name: string, text: string): string {
  const path = join(lab.root, name);
  writeFileSync(path, text);
  return path;
}
