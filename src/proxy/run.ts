/**
 * `qf proxy`, which OpenSSH calls. It parses its raw arguments itself: our options precede the names, so that
 * no name is read as an option.
 *
 * @module
 */
import { writeSync } from "node:fs";
import { isAbsolute } from "node:path";
import { systemClock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { compileHotCode } from "../base/jit-policy.ts";
import { PROXY_HELP, PROXY_USAGE } from "./help.ts";

const EXIT_USAGE = 2;

/** Runs `args` (without `proxy`); resolves to the exit status. Throws QfErrors. */
export async function runProxy(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args;
  if (verb === "--help" || verb === "-h" || (rest.length === 1 && rest[0] === "--help")) {
    writeSync(1, PROXY_HELP);
    return 0;
  }
  if (verb === "connect") return connect(rest);
  if (verb === "known-hosts") return knownHosts(rest);
  if (verb === "socks") return socks(rest);
  if (verb === "match") return (await import("./ssh-config/match.ts")).runMatch(rest, process.env);
  if (verb === "tidy") return (await import("./keys/key-cleanup.ts")).runTidy(rest, systemClock);
  if (verb === "check") return (await import("./host-key-carrier.ts")).runHostKeyCarrier(rest);
  if (verb === "carry") {
    await parseWithoutCompiling();
    return (await import("./relay-carrier.ts")).runCarry(process.env);
  }
  return usage();
}

async function connect(args: readonly string[]): Promise<number> {
  const { flags, configDir, names } = parse(args);
  const [host, port] = names;
  if (host === undefined || port === undefined || names.length !== 2) return usage();
  await parseWithoutCompiling();
  const { runConnect } = await import("./connect.ts");
  return runConnect({ host, port, configDir, passesDescriptor: flags.has("--fdpass") });
}

/** Runs until stopped. */
async function socks(args: readonly string[]): Promise<number> {
  const { flags, configDir, names } = parse(args);
  if (flags.size > 0 || names.length > 0) return usage();
  compileHotCode();
  await parseWithoutCompiling();
  const stop = new AbortController();
  process.on("SIGTERM", () => stop.abort()).on("SIGINT", () => stop.abort());
  const { runSocks } = await import("./socks.ts");
  await runSocks({
    environment: configDir === undefined ? process.env : { ...process.env, QF_CONFIG_DIR: configDir },
    onListening: (urls) => writeSync(1, urls.map((url) => `${url}\n`).join("")),
    onRefused: (line) => process.stderr.write(`qf: warning: ${line}\n`),
    signal: stop.signal,
  });
  return 0;
}

/**
 * Only for verbs that parse something. ssh(1) waits for the others at every connection, so they skip this.
 */
async function parseWithoutCompiling(): Promise<void> {
  (await import("../wire/jitless.ts")).parseWithoutCompiling();
}

async function knownHosts(args: readonly string[]): Promise<number> {
  const { configDir, names } = parse(args);
  const [host] = names;
  if (host === undefined || names.length !== 1) return usage();
  const { runKnownHosts } = await import("./ssh-config/known-hosts.ts");
  runKnownHosts(host, { environment: process.env, configDir, clock: systemClock });
  return 0;
}

function parse(args: readonly string[]) {
  const flags = new Set<string>();
  let configDir: string | undefined;
  let rest = args;
  for (;;) {
    const [first, second] = rest;
    if (first === "--fdpass") {
      flags.add(first);
      rest = rest.slice(1);
    } else if (first === "--config-dir" && second !== undefined && isAbsolute(second)) {
      configDir = second;
      rest = rest.slice(2);
    } else if (first?.startsWith("-") === true) {
      throw new QfError("ERR_USAGE", "that is no option of qf proxy", { hint: "see qf proxy --help" });
    } else return { flags, configDir, names: rest };
  }
}

function usage(): number {
  process.stderr.write(`qf: error: qf proxy needs a verb and names\n${PROXY_USAGE}`);
  return EXIT_USAGE;
}
