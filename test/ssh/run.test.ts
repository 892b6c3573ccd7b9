/** `qf ssh` as the compiled executable, against a machine and a management of the test's own. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerChannel, Session } from "ssh2";
import { executablePath } from "../support/executable.ts";
import { type FakeManagement, startFakeManagement } from "../support/fake-management.ts";
import { digest, otherHostKey, type SshMachine, startSshMachine } from "../support/ssh-machine.ts";
import { until } from "../support/until.ts";

let executable: string;
let home: string;
let management: FakeManagement;
let machine: SshMachine;
/** What the machine's next sessions do. */
let onSession: (session: Session) => void = () => {};
let onResize: ((size: string) => void) | undefined;

beforeAll(async () => {
  executable = await executablePath();
  home = mkdtempSync(join(tmpdir(), "qf-ssh-"));
  management = startFakeManagement();
  machine = await startSshMachine({ acceptAny: true, onSession: (session) => onSession(session) });
}, 120_000);
afterAll(async () => {
  management.close();
  await machine.close();
  rmSync(home, { recursive: true, force: true });
});
afterEach(() => {
  onSession = () => {};
  management.answers.length = 0;
});

const env = () => ({
  PATH: "/usr/bin:/bin",
  HOME: home,
  TERM: "xterm",
  QF_MANAGEMENT_URL: management.url,
  QF_TOKEN: "qft_0123456789abcdef",
  QF_AGENT_STATE_DIR: join(home, "none"),
});

function target(change: Partial<FakeManagement["target"]> = {}): void {
  management.target = { ...machine.credential.target, ...change };
}

async function qf(args: string[], stdin: Uint8Array | null = null) {
  const child = Bun.spawn([executable, "ssh", ...args], {
    env: env(),
    stdin: stdin ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, status] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout: Buffer.from(stdout), stderr, status };
}

/** A session that runs `handle` for a command, or for a shell with or without a terminal. */
function serve(handle: (channel: ServerChannel, what: string) => void): void {
  onSession = (session) => {
    let pty = "no terminal";
    session.on("env", (accept) => accept?.());
    session.on("pty", (accept, _reject, info) => {
      pty = `${info.cols}x${info.rows}`;
      accept();
    });
    session.on("window-change", (accept, _reject, info) => {
      accept?.();
      onResize?.(`${info.cols}x${info.rows}`);
    });
    session.on("exec", (accept, _reject, info) => handle(accept(), info.command));
    session.on("shell", (accept) => handle(accept(), pty));
  };
}

test("qf ssh runs a command: status, stdout and stderr are the remote's", async () => {
  target();
  serve((channel, command) => {
    channel.stderr.write("careful\n");
    channel.write(`ran ${command}`);
    channel.exit(3);
    channel.end();
  });
  const run = await qf(["deploy@web1", "echo", "-n", "--help"]);
  expect(run).toMatchObject({ status: 3, stderr: "careful\n" });
  expect(run.stdout.toString()).toBe("ran echo -n --help");
  expect(machine.users.at(-1)).toBe("deploy");
  expect(machine.hellos.at(-1)).toStartWith("QUFABRIC/1 ");
  expect(management.certificates.at(-1)).toMatchObject({ target: "web1", localUser: "deploy" });
});

test("qf ssh carries megabytes both ways through pipes, to the last byte", async () => {
  target();
  const sent = randomBytes(8 * 1024 * 1024);
  serve((channel) => {
    channel.on("data", (chunk: Buffer) => {
      if (!channel.write(chunk)) channel.pause();
    });
    channel.on("drain", () => channel.resume());
    channel.on("end", () => {
      channel.exit(0);
      channel.end();
    });
  });
  const run = await qf(["web1", "cat"], sent);
  expect(run.stderr).toBe("");
  expect(digest(run.stdout)).toBe(digest(sent));
});

test("qf ssh loses nothing to a slow reader", async () => {
  target();
  serve((channel) => {
    channel.exit(0);
    channel.end(Buffer.alloc(4 * 1024 * 1024, "x"));
  });
  const slow = Bun.spawn(["/bin/sh", "-c", `'${executable}' ssh web1 flood | (sleep 0.5; wc -c)`], {
    env: env(),
    stdin: "ignore",
    stdout: "pipe",
  });
  expect((await new Response(slow.stdout).text()).trim()).toBe(String(4 * 1024 * 1024));
});

test("qf ssh ends quietly when its reader goes away", async () => {
  target();
  serve((channel) => {
    const more = () => channel.writable && channel.write(Buffer.alloc(65_536, "x"), more);
    more();
  });
  const child = Bun.spawn(["/bin/sh", "-c", `'${executable}' ssh web1 yes | head -c 10`], {
    env: env(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(await new Response(child.stdout).text()).toBe("xxxxxxxxxx");
  expect(await new Response(child.stderr).text()).toBe("");
});

test.each<[what: string, args: string[], seen: string]>([
  ["a shell without a terminal here gets none there", ["web1"], "no terminal"],
  ["-tt gets one all the same", ["-tt", "web1"], "80x24"],
  ["-T gets none", ["-T", "web1"], "no terminal"],
])("qf ssh: %s", async (_what, args, seen) => {
  target();
  serve((channel, what) => {
    channel.write(what);
    channel.exit(0);
    channel.end();
  });
  expect((await qf(args)).stdout.toString()).toBe(seen);
});

test("qf ssh says who refused, and why, on one line each, with status 255", async () => {
  const { status, stderr } = await refused(() => {
    management.answers.push({
      outcome: "denied",
      reason: "local_user_not_authorized",
      sentence: "User is not authorized to login as OS user",
      hint: "ask somebody",
      receipt: "r".repeat(20),
    });
  });
  expect(status).toBe(255);
  expect(stderr).toBe(
    `qf: error: User is not authorized to login as OS user\nqf: hint: ask somebody; receipt ${"r".repeat(20)}\n`,
  );
});

test.each<[what: string, change: Partial<FakeManagement["target"]>, want: string]>([
  [
    "a host key that is not the known one",
    { hostKeys: [otherHostKey()] },
    "is not the one that management knows",
  ],
  ["a peer without an SSH server", { sshServer: false }, "SSH server not detected"],
  ["a peer that is not there", { direct: [], connected: false }, "is not connected"],
  ["a port where nobody listens", { direct: ["127.0.0.1:1"] }, "Connection refused (127.0.0.1:1)"],
])("qf ssh refuses %s with status 255", async (_what, change, want) => {
  const { status, stderr } = await refused(() => target(change));
  expect(status).toBe(255);
  expect(stderr).toStartWith("qf: error: ");
  expect(stderr).toContain(want);
  expect(stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
});

async function refused(prepare: () => void) {
  target();
  prepare();
  return qf(["web1", "true"]);
}

test("qf ssh -N holds the connection until it is ended", async () => {
  target();
  const child = Bun.spawn([executable, "ssh", "-N", "-v", "web1"], {
    env: env(),
    stderr: "pipe",
    stdin: "ignore",
  });
  let said = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) said += text;
  })();
  await until("the connection", () => said.includes("qf: debug: signed in as "));
  expect(said).toContain(`qf: debug: connected directly to ${machine.address} after `);
  expect(child.exitCode).toBeNull();
  child.kill("SIGTERM");
  expect(await child.exited).toBe(255);
  await reading;
});

/** Runs `args` on a pseudo-terminal, types what `type` says to what is seen, and notes the modes after it. */
async function onTerminal(args: string[], type: (seen: string, terminal: Bun.Terminal) => void) {
  const modes = join(home, "modes");
  let seen = "";
  const script = join(home, "run.sh");
  writeFileSync(
    script,
    `'${executable}' ssh ${args.join(" ")}\nstatus=$?\nstty -a > '${modes}'\nexit $status\n`,
  );
  const child = Bun.spawn(["/bin/sh", script], {
    env: env(),
    terminal: {
      cols: 100,
      rows: 30,
      data: (terminal, data) => {
        seen += Buffer.from(data).toString();
        type(seen, terminal);
      },
    },
  });
  const status = await child.exited;
  return { status, seen, modes: readFileSync(modes, "utf8") };
}

test("qf ssh on a terminal is raw, has its size, follows it, and puts it back", async () => {
  target();
  const typed: string[] = [];
  serve((channel, what) => {
    onResize = (size) => channel.write(`now ${size}\r\n`);
    channel.write(`size ${what}\r\nready\r\n`);
    channel.on("data", (chunk: Buffer) => {
      typed.push(chunk.toString());
      if (!chunk.includes(3)) return;
      channel.exit(5);
      channel.end();
    });
  });
  const steps = [
    { after: "ready", act: (terminal: Bun.Terminal) => terminal.resize(120, 40) },
    { after: "now 120x40", act: (terminal: Bun.Terminal) => terminal.write("a\u0003") },
  ];
  const { status, seen, modes } = await onTerminal(["web1"], (text, terminal) => {
    if (steps[0] !== undefined && text.includes(steps[0].after)) steps.shift()?.act(terminal);
  });
  expect(status).toBe(5);
  expect(seen).toContain("size 100x30");
  expect(typed.join("")).toBe("a\u0003");
  expect(modes).toMatch(/(^| )icanon/m);
  expect(modes).toMatch(/(^| )echo /m);
  expect(modes).toMatch(/(^| )opost/m);
});

test("qf ssh leaves at ~. with status 255 and the terminal as it was", async () => {
  target();
  serve((channel) => void channel.write("ready\r\n"));
  let isTyped = false;
  const { status, modes } = await onTerminal(["web1"], (text, terminal) => {
    if (isTyped || !text.includes("ready")) return;
    isTyped = true;
    terminal.write("\r~.");
  });
  expect(status).toBe(255);
  expect(modes).toMatch(/(^| )icanon/m);
});

test("qf ssh puts the terminal back when the machine goes away", async () => {
  target();
  serve((channel) => {
    channel.write("ready\r\n");
  });
  const { status, seen, modes } = await onTerminal(["web1"], (text) => {
    if (text.includes("ready")) machine.drop();
  });
  expect(status).toBe(255);
  expect(seen).toContain("qf: error: the connection to the peer was lost");
  expect(modes).toMatch(/(^| )icanon/m);
});
