import { afterEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { PassThrough, Writable } from "node:stream";
import type { ServerChannel, Session } from "ssh2";
import { QfError } from "../../src/base/errors.ts";
import { dialDirect } from "../../src/fabric/dial.ts";
import { type Connection, connectSsh } from "../../src/ssh/connect.ts";
import { runSession, type SessionOptions } from "../../src/ssh/session.ts";
import { digest, type SshMachine, startSshMachine } from "../support/ssh-machine.ts";
import { until } from "../support/until.ts";

const machines: SshMachine[] = [];
afterEach(async () => {
  await Promise.all(machines.splice(0).map((machine) => machine.close()));
});

interface Run {
  readonly connection: Connection;
  readonly machine: SshMachine;
  readonly stdin: PassThrough;
  readonly out: () => Buffer;
  readonly errors: () => string;
  readonly status: Promise<number>;
}

/** Runs one session against a machine whose sessions do what `onSession` says. */
async function run(
  onSession: (session: Session) => void,
  change: Partial<SessionOptions> = {},
): Promise<Run> {
  const machine = await startSshMachine({ onSession });
  machines.push(machine);
  const { socket } = await dialDirect({ addresses: [machine.address], helloFor: () => "HELLO\n" });
  const connection = await connectSsh({
    stream: socket,
    credential: machine.credential,
    localUser: "deploy",
    keepaliveMs: 0,
    keepaliveCountMax: 3,
    onBanner: () => {},
  });
  const stdin = new PassThrough();
  const stdout = sink();
  const stderr = sink();
  const status = runSession(connection, {
    command: "true",
    pty: false,
    escape: "~",
    env: {},
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    term: "xterm",
    forwardAgent: false,
    say: () => {},
    ...change,
  });
  status.catch(() => {});
  return { connection, machine, stdin, out: stdout.bytes, errors: () => stderr.bytes().toString(), status };
}

/** A slow reader: takes one chunk at a time, later. */
function sink(): { stream: Writable; bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    highWaterMark: 16 * 1024,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      setImmediate(done);
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}

function onExec(handle: (channel: ServerChannel, command: string) => void): (session: Session) => void {
  return (session) => {
    session.on("env", (accept) => accept?.());
    session.on("pty", (accept) => accept());
    session.on("exec", (accept, _reject, info) => handle(accept(), info.command));
  };
}

test("runSession keeps stdout and stderr apart and returns the remote status", async () => {
  const { status, out, errors, stdin } = await run(
    onExec((channel, command) => {
      channel.write(`ran ${command}\n`);
      channel.stderr.write("careful\n");
      channel.exit(3);
      channel.end();
    }),
    { command: "make it so" },
  );
  stdin.end();
  expect(await status).toBe(3);
  expect(out().toString()).toBe("ran make it so\n");
  expect(errors()).toBe("careful\n");
});

test.each([
  ["TERM", 143],
  ["KILL", 137],
  ["USR1", 138],
])("runSession returns 128 and the number for the signal %s", async (signal, want) => {
  const { status } = await run(
    onExec((channel) => {
      channel.exit(signal, false, "");
      channel.end();
    }),
  );
  expect(await status).toBe(want);
});

test("runSession returns 255 when the peer closes without a status", async () => {
  const { status } = await run(onExec((channel) => channel.close()));
  expect(await status).toBe(255);
});

test("runSession throws when the connection is lost under the session", async () => {
  const { status, machine, out } = await run(onExec((channel) => void channel.write("half a line")));
  await until("what was written", () => out().length > 0);
  machine.drop();
  const error = await status.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(QfError);
  expect((error as QfError).code).toBe("ERR_SSH");
});

test("runSession throws when the peer refuses the session", async () => {
  const { status } = await run((session) => {
    session.on("exec", (_accept, reject) => reject());
  });
  const error = await status.catch((reason: unknown) => reason);
  expect((error as QfError).code).toBe("ERR_SSH");
});

test("runSession sends stdin to its end and takes megabytes back through a slow reader", async () => {
  const sent = randomBytes(3 * 1024 * 1024);
  const { status, out, stdin } = await run(
    onExec((channel) => {
      const chunks: Buffer[] = [];
      channel.on("data", (chunk: Buffer) => chunks.push(chunk));
      channel.on("end", () => {
        channel.write(Buffer.concat(chunks), () => {
          channel.exit(0);
          channel.end();
        });
      });
    }),
  );
  stdin.end(sent);
  expect(await status).toBe(0);
  expect(digest(out())).toBe(digest(sent));
});

test("runSession ends stdin at once when there is none", async () => {
  const { status } = await run(
    onExec((channel) => {
      channel.on("end", () => {
        channel.exit(0);
        channel.end();
      });
      channel.resume();
    }),
    { stdin: null },
  );
  expect(await status).toBe(0);
});

test("runSession sends variables and the terminal's kind and size", async () => {
  const seen: unknown[] = [];
  const { status } = await run(
    (session) => {
      session.on("env", (accept, _reject, info) => {
        seen.push([info.key, info.val]);
        accept?.();
      });
      session.on("pty", (accept, _reject, info) => {
        seen.push(["pty", (info as { term?: string }).term, info.rows > 0, info.cols > 0]);
        accept();
      });
      session.on("shell", (accept) => {
        const channel = accept();
        channel.exit(0);
        channel.end();
      });
    },
    { command: undefined, pty: true, env: { LANG: "C.UTF-8" }, term: "xterm-256color" },
  );
  expect(await status).toBe(0);
  expect(seen).toContainEqual(["LANG", "C.UTF-8"]);
  expect(seen).toContainEqual(["pty", "xterm-256color", true, true]);
});

test("runSession leaves the connection at ~. after a line, in a terminal only", async () => {
  const typed: Buffer[] = [];
  const { status, stdin } = await run(
    (session) => {
      session.on("pty", (accept) => accept());
      session.on("shell", (accept) => {
        accept().on("data", (chunk: Buffer) => typed.push(chunk));
      });
    },
    { command: undefined, pty: true },
  );
  stdin.write("ls\r");
  await until("what was typed", () => typed.length > 0);
  stdin.write("~.");
  expect(await status).toBe(255);
  expect(Buffer.concat(typed).toString()).toBe("ls\r");
});

test("runSession sends ~. on where there is no terminal", async () => {
  const { status, out, stdin } = await run(onExec(echo));
  stdin.end("~.");
  expect(await status).toBe(0);
  expect(out().toString()).toBe("~.");
});

function echo(channel: ServerChannel): void {
  channel.on("data", (chunk: Buffer) => channel.write(chunk));
  channel.on("end", () => {
    channel.exit(0);
    channel.end();
  });
}
