/**
 * A session in a connection: a shell or a command, with or without a terminal, and its exit status.
 *
 * stdout carries the remote's stdout and nothing else. Streams stop reading when the other side does not keep
 * up, so buffers stay small.
 *
 * @module
 */
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { ClientChannel, PseudoTtyOptions } from "ssh2";
import { QfError } from "../base/errors.ts";
import type { Connection } from "./connect.ts";
import { createEscapeFilter, escapeHelp } from "./escape.ts";
import { enterRawMode, type TerminalSize, terminalModes, terminalSize, watchSize } from "./terminal.ts";

/** How ssh(1) says "no session". */
export const EXIT_NO_SESSION = 255;
/** How long after a channel closes the loss of its transport may show. */
const LOSS_MS = 50;
/** ssh2 fails the session when the agent is refused. Like ssh(1), we continue without it. */
const AGENT_REFUSED = /agent forwarding/;
/** Longest wait for our own reader to drain the output. */
const FLUSH_MS_MAX = 60_000;

export interface SessionOptions {
  /** Undefined: a shell. */
  readonly command: string | undefined;
  /** Request a terminal. */
  readonly pty: boolean;
  readonly escape: string | null;
  readonly env: Readonly<Record<string, string>>;
  /** Null: empty input. */
  readonly stdin: (Readable & { readonly isTTY?: boolean }) | null;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly term: string;
  /** Offer the person's SSH agent, which is set on the connection. */
  readonly forwardAgent: boolean;
  say(line: string): void;
}

/** Runs the session to its end; resolves to the exit status for our shell. Throws ERR_SSH. */
export function runSession(connection: Connection, options: SessionOptions): Promise<number> {
  const { command } = options;
  const extra = { env: options.env, ...(options.forwardAgent ? { agentForward: true } : {}) };
  const pty = options.pty && ptyOptions(options.term);
  return new Promise((resolve, reject) => {
    let isOpen = false;
    void connection.closed.then((failure) => {
      if (!isOpen) reject(failure ?? lost());
    });
    // Attach synchronously: a short command's status is in the next packet.
    const onChannel = (error: Error | undefined, channel: ClientChannel) => {
      isOpen = true;
      if (error && options.forwardAgent && AGENT_REFUSED.test(error.message)) {
        options.say("qf: warning: the peer does not take your SSH agent");
        runSession(connection, { ...options, forwardAgent: false }).then(resolve, reject);
      } else if (error) reject(refused(error));
      else attach(connection, channel, options).then(resolve, reject);
    };
    if (command === undefined) connection.client.shell(pty, extra, onChannel);
    else connection.client.exec(command, pty === false ? extra : { ...extra, pty }, onChannel);
  });
}

/** Joins our streams to the channel's until it closes. */
async function attach(
  connection: Connection,
  channel: ClientChannel,
  options: SessionOptions,
): Promise<number> {
  let status: number | undefined;
  channel.on("exit", (code: number | null, signal?: string) => {
    status = code ?? statusOfSignal(signal);
  });
  const closed = new Promise<void>((resolve) => void channel.on("close", () => resolve()));
  const broken = brokenOutput([options.stdout, options.stderr]);
  const flushed = Promise.all([
    pour(channel, options.stdout),
    pour(channel.stderr as unknown as Readable, options.stderr),
  ]);
  const stopInput = feed(connection, channel, options);
  const restore = options.pty && options.stdin?.isTTY === true ? enterRawMode() : () => {};
  const unwatch = options.pty ? watchSize((size) => setWindow(channel, size)) : () => {};
  try {
    await Promise.race([closed, connection.closed, broken]);
    // No status: either the peer sent none, or the transport was lost first.
    const failure = await Promise.race([connection.closed, Bun.sleep(status === undefined ? LOSS_MS : 0)]);
    if (failure !== undefined && status === undefined) throw failure;
    await Promise.race([flushed, Bun.sleep(FLUSH_MS_MAX)]);
    return status ?? EXIT_NO_SESSION;
  } finally {
    stopInput();
    unwatch();
    restore();
  }
}

/** Rejects when the reader of one of `outputs` is gone; otherwise never settles. */
function brokenOutput(outputs: readonly Writable[]): Promise<never> {
  const broken = new Promise<never>((_, reject) => {
    for (const output of outputs) output.once("error", reject);
  });
  broken.catch(() => {});
  return broken;
}

/** Copies `from` to `to` with back-pressure; resolves when everything is written. Never ends `to`. */
function pour(from: Readable, to: Writable): Promise<void> {
  return new Promise((resolve) => {
    from.on("data", (chunk: Buffer) => {
      if (to.write(chunk)) return;
      from.pause();
      to.once("drain", () => from.resume());
    });
    const finish = () => to.write("", () => resolve());
    from.once("end", finish);
    from.once("error", () => resolve());
  });
}

/** Sends stdin. Returns a function that stops reading it. */
function feed(connection: Connection, channel: ClientChannel, options: SessionOptions): () => void {
  const { stdin } = options;
  if (stdin === null) {
    channel.end();
    return () => {};
  }
  const filter = createEscapeFilter(options.pty ? options.escape : null);
  const onData = (chunk: Buffer | string) => {
    const { send, asks } = filter(Buffer.from(chunk as string));
    if (send.length > 0 && !channel.write(send)) stdin.pause();
    for (const ask of asks) {
      if (ask === "end") connection.end();
      else options.stderr.write(`\r\n${escapeHelp(options.escape ?? "")}`);
    }
  };
  const onDrain = () => void stdin.resume();
  const onEnd = () => channel.end();
  channel.on("drain", onDrain);
  stdin.on("data", onData).on("end", onEnd).on("error", onEnd);
  return () => {
    stdin.off("data", onData).off("end", onEnd).off("error", onEnd);
    stdin.pause();
    channel.off("drain", onDrain);
  };
}

function setWindow(channel: ClientChannel, size: TerminalSize): void {
  if (channel.writable) channel.setWindow(size.rows, size.cols, 0, 0);
}

/** The local terminal's settings from before raw mode, so that the remote one behaves the same. */
function ptyOptions(term: string): PseudoTtyOptions {
  const modes = terminalModes();
  // ssh2 also accepts encoded modes, which its types lack.
  return { ...ptySize(terminalSize()), term, ...(modes === null ? {} : { modes: modes as object }) };
}

function ptySize({ rows, cols }: TerminalSize) {
  return { rows, cols, height: 0, width: 0 };
}

/** 128 + the signal's number, as shells report it; 255 for a signal unknown here. */
function statusOfSignal(signal: string | undefined): number {
  const name = signal?.startsWith("SIG") ? signal : `SIG${signal}`;
  const number = (constants.signals as Record<string, number>)[name];
  return number === undefined ? EXIT_NO_SESSION : 128 + number;
}

function refused(error: Error): QfError {
  const isShellOrExec = /unable to exec|shell|exec|pty/i.test(error.message);
  return new QfError("ERR_SSH", isShellOrExec ? "the peer refused the session" : "no session on the peer", {
    hint: "the policy may not allow it; qf ssh -v says more",
    cause: error,
  });
}

function lost(): QfError {
  return new QfError("ERR_SSH", "the connection to the peer was lost");
}
