/**
 * Command-line clients, as people type them: `command-line.ts KIND PROGRAM JSON`, where KIND is `openssh`,
 * `dropbear` or `putty`. See `test/support/ssh-clients.ts` for what a client program is told and says.
 */
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { converse, freePort } from "../../support/echo.ts";
import { LabTerminal } from "../../support/lab-terminal.ts";
import { until } from "../../support/until.ts";

const [kind = "", program = "", json = "{}"] = process.argv.slice(2);
const it = JSON.parse(json);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const WAIT_MS = 30_000;
const home = mkdtempSync(join(tmpdir(), "qf-client-"));
const at = (name: string): string => join(it.dir, name);
const here = (name: string): string => join(home, name);

/** What differs from one client to the next. Undefined: it has no such thing. */
interface Client {
  /** argv to the server as `user`, with the client's own options. */
  argv(user: string, options: readonly string[], command?: readonly string[]): string[];
  readonly pty: string;
  /** Options with which it keeps the connection alive each second. */
  readonly keepalive: readonly string[];
  /** Options with which it changes keys each so many bytes. */
  readonly rekey?: readonly string[];
  /** Options with which it connects standard input to a port there. */
  carry(port: number): string[];
  /** A shell line for a program that carries out the lines of the file `$1` by SFTP. */
  readonly sftp: string;
  readonly hasUnixSockets: boolean;
}

const clients: Record<string, () => Client> = { openssh, dropbear, putty };

function openssh(): Client {
  const settings = [
    ...["IdentitiesOnly=yes", "BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"],
    ...(it.certificate ? [`CertificateFile=${it.certificate}`] : []),
  ].flatMap((setting) => ["-o", setting]);
  const base = ["-F", "none", "-i", it.key, ...settings];
  const sftp = program === "ssh" ? "sftp" : join(dirname(program), "sftp");
  const words = [sftp, "-S", Bun.which(program) ?? program, ...base, "-P", String(it.port)];
  return {
    argv: (user, options, command = []) => [
      ...[program, ...base, "-p", String(it.port), "-l", user, ...options, "127.0.0.1", ...command],
    ],
    pty: "-tt",
    keepalive: ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"],
    rekey: ["-o", `RekeyLimit=${it.transfers > 0 ? "1M" : "64k"}`],
    carry: (port) => ["-W", `127.0.0.1:${port}`],
    sftp: `${words.join(" ")} -b "$1" ${it.user}@127.0.0.1`,
    hasUnixSockets: true,
  };
}

function dropbear(): Client {
  const key = here("key");
  if (it.key) Bun.spawnSync(["dropbearconvert", "openssh", "dropbear", it.key, key], { stderr: "ignore" });
  const base = ["-y", "-y", "-p", String(it.port), ...(it.key ? ["-i", key] : [])];
  const argv: Client["argv"] = (user, options, command = []) => [
    ...[program, ...base, ...options, `${user}@127.0.0.1`, ...command],
  ];
  const words = argv(it.user, ["-s"], ["sftp"]).join(" ");
  return {
    argv,
    pty: "-t",
    keepalive: ["-K", "1"],
    carry: (port) => ["-B", `127.0.0.1:${port}`],
    sftp: `sftp -b "$1" -D "${words}"`,
    hasUnixSockets: false,
  };
}

function putty(): Client {
  mkdirSync(here(".putty/sessions"), { recursive: true });
  writeFileSync(here(".putty/sessions/often"), "Protocol=ssh\nPingIntervalSecs=1\nRekeyBytes=64K\n");
  Bun.spawnSync(["puttygen", it.key, "-O", "private", "-o", here("key.ppk")], {
    env: { ...process.env, HOME: home },
  });
  const scan = `ssh-keyscan -p ${it.port} 127.0.0.1 2>/dev/null | ssh-keygen -lf -`;
  const hostKeys =
    Bun.spawnSync(["sh", "-c", scan])
      .stdout.toString()
      .match(/SHA256:\S+/g) ?? [];
  const base = [
    ...["-batch", "-P", String(it.port), "-i", here("key.ppk")],
    ...(it.certificate ? ["-cert", it.certificate] : []),
    ...hostKeys.flatMap((hostKey) => ["-hostkey", hostKey]),
  ];
  return {
    argv: (user, options, command = []) => [
      program,
      ...options,
      ...base,
      "-l",
      user,
      "127.0.0.1",
      ...command,
    ],
    pty: "-t",
    keepalive: ["-load", "often"],
    rekey: ["-load", "often"],
    carry: (port) => ["-nc", `127.0.0.1:${port}`],
    sftp: `psftp ${base.join(" ")} -l ${it.user} -b "$1" 127.0.0.1`,
    hasUnixSockets: false,
  };
}

interface Ended {
  readonly out: string;
  /** Standard error and what was on the terminal. */
  readonly said: string;
  readonly status: number;
}

/** Starts it on a terminal, where it may ask for a code; `script` is for sh(1), which has argv in `"$@"`. */
function start(script: string, argv: readonly string[]): LabTerminal {
  const env = { ...(process.env as Record<string, string>), HOME: home, TERM: "xterm" };
  const terminal = new LabTerminal(["sh", "-c", script, "sh", ...argv], env, home);
  if (it.key === null) void signIn(terminal);
  return terminal;
}

async function signIn(terminal: LabTerminal): Promise<void> {
  const asked = await terminal.expect(/\((http\S+)\) One-time code: /, WAIT_MS);
  process.stdout.write(`ASK ${JSON.stringify(asked[1])}\n`);
  terminal.type(`${(await answers.next()).value}\r`);
}

async function end(terminal: LabTerminal): Promise<Ended> {
  const status = await terminal.end(WAIT_MS);
  const [out = "", error = ""] = ["out", "error"].map((name) => readFileSync(here(name), "latin1"));
  return { out, said: error + terminal.text, status };
}

function run(argv: readonly string[], input = "/dev/null"): Promise<Ended> {
  return end(start(`exec "$@" <${input} >${here("out")} 2>${here("error")}`, argv));
}

const runAs = (options: readonly string[], ...command: string[]): Promise<Ended> =>
  run(client.argv(it.user, options, command));

function equal(found: unknown, wanted: unknown, said = ""): void {
  if (found !== wanted) throw new Error(`${JSON.stringify(found)}, not ${JSON.stringify(wanted)} ${said}`);
}

async function check(name: string, act: () => Promise<void>): Promise<void> {
  const outcome = await act().then(
    () => "ok",
    (cause: Error) => cause.message.replaceAll(/\s+/g, " "),
  );
  process.stdout.write(`${name}: ${outcome}\n`);
}

/** Speaks with an echo through a forward that is there while the client runs. */
async function throughForward(
  option: "-L" | "-R",
  from: string,
  to: string,
  entrance: { port: number } | { path: string },
): Promise<void> {
  const terminal = start('exec "$@" </dev/null', client.argv(it.user, ["-N", option, `${from}:${to}`]));
  try {
    await until(
      "an answer through the forward",
      async () => {
        if (terminal.process.exitCode !== null) throw new Error(`it ended: ${terminal.text}`);
        return (await converse(entrance, "hello ").catch(() => "")) === "hello bye";
      },
      WAIT_MS,
    );
  } finally {
    terminal.process.kill();
    await terminal.process.exited;
  }
}

const client = (clients[kind] ?? openssh)();

/**
 * There and back through cat(1), byte for byte, while keys change. Each megabyte: with 256 kB OpenSSH 9.2
 * and its own sshd wait for each other without end.
 */
async function transfer(): Promise<void> {
  const { out, said } = await run(client.argv(it.user, client.rekey ?? [], ["cat"]), it.file);
  if (out !== readFileSync(it.file, "latin1")) throw new Error(`other bytes came ${said}`);
}

if (it.transfers > 0) {
  for (let left = it.transfers; left > 0; left--) await check("transfer", transfer);
  rmSync(home, { recursive: true, force: true });
  process.exit(0);
}

await check("exec", async () => {
  const { out, said, status } = await runAs([], "echo out; echo err >&2; exit 7");
  equal(out, "out\n", said);
  equal(said.includes("err"), true);
  equal(status, 7);
});
await check("stdin", async () => {
  writeFileSync(here("input"), "x".repeat(300_000));
  const { out, said } = await run(client.argv(it.user, [], ["wc -c"]), here("input"));
  equal(out.trim(), "300000", said);
});
await check("pty", async () => {
  const argv = client.argv(it.user, [client.pty], ["tty >/dev/null && stty size"]);
  const terminal = start('stty rows 31 cols 101; exec "$@"', argv);
  await terminal.expect(/31 101/, WAIT_MS);
  equal(await terminal.end(WAIT_MS), 0);
});
await check("sftp", async () => {
  const isWhole = kind !== "putty";
  writeFileSync(here("file"), "x".repeat(100_000));
  const rename = isWhole ? "rename" : "mv";
  const lines = [`put ${here("file")} ${at("a")}`, `${rename} ${at("a")} ${at("b")}`];
  // psftp has no word for a symlink.
  if (isWhole) lines.push(`symlink b ${at("link")}`);
  writeFileSync(here("batch"), `${lines.join("\n")}\n`);
  const { said, status } = await end(
    start(`${client.sftp} </dev/null >${here("out")} 2>${here("error")}`, [here("batch")]),
  );
  equal(status, 0, said);
  equal(statSync(at("b")).size, 100_000);
  if (isWhole) equal(readlinkSync(at("link")), "b");
  for (const name of ["b", "link"]) rmSync(at(name), { force: true });
});
await check("-L", async () => {
  const port = await freePort();
  await throughForward("-L", `127.0.0.1:${port}`, `127.0.0.1:${it.echoPort}`, { port });
});
await check("-R", async () => {
  const port = await freePort();
  await throughForward("-R", `0.0.0.0:${port}`, `127.0.0.1:${it.echoPort}`, { port });
});
if (client.hasUnixSockets) {
  await check("unix -L", async () => {
    const port = await freePort();
    await throughForward("-L", `127.0.0.1:${port}`, it.echoPath, { port });
  });
  await check("unix -R", async () => {
    const path = at("remote.sock");
    await throughForward("-R", path, `127.0.0.1:${it.echoPort}`, { path });
  });
}
await check("keepalive", async () => {
  const { out, said } = await runAs(client.keepalive, "sleep 3; echo on");
  equal(out, "on\n", said);
});
if (client.rekey !== undefined) {
  const options = client.rekey;
  await check("rekey", async () => {
    const { out, said } = await runAs(options, "head -c 3000000 /dev/zero");
    equal(out.length, 3_000_000, said);
  });
}
await check("refusal", async () => {
  const { out, said, status } = await run(client.argv(it.user, client.carry(1)));
  equal(out, "");
  // dbclient ends as if nothing had been the matter.
  if (kind !== "dropbear") equal(status !== 0 && /refused|fail/i.test(said), true, said);
});
await check("denial", async () => {
  // plink shows no banner where there is a command.
  const command = kind === "putty" ? [] : ["echo in"];
  const { out, said, status } = await run(client.argv(it.deniedUser, [], command));
  equal(out, "");
  equal(status !== 0, true, said);
  equal(said.replaceAll(/\s+/g, " ").includes(it.deniedSays ?? ""), true, said);
});
rmSync(home, { recursive: true, force: true });
process.exit(0);
