/**
 * A session: a shell, a command or a subsystem in a channel, and how it ends.
 *
 * @module
 */
import type { Bytes } from "./bytes.ts";
import type { Channel } from "./channel.ts";
import type { SshConnection } from "./connection.ts";

const NAME_BYTES_MAX = 256;

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** How the program ended. Null for both: the connection was lost before the machine said. */
export interface SessionEnd {
  readonly status: number | null;
  /** Name of the signal that ended it, without SIG. */
  readonly signal: string | null;
}

export interface SessionOptions {
  /** Null: no terminal. */
  readonly terminal: TerminalSize | null;
  readonly run: { readonly shell: true } | { readonly command: string } | { readonly subsystem: string };
  readonly environment?: Readonly<Record<string, string>>;
  onData(bytes: Bytes, isError: boolean, used: () => void): void;
  onEof?(): void;
}

export interface Session {
  write(bytes: Bytes): Promise<void>;
  resize(size: TerminalSize): void;
  /** No more input. */
  eof(): void;
  close(): void;
  /** Name without SIG. */
  signal(name: string): void;
  readonly ended: Promise<SessionEnd>;
}

/** Opens a channel and starts the program. Rejects with `refused` when the machine refuses. */
export async function startSession(connection: SshConnection, options: SessionOptions): Promise<Session> {
  let end: SessionEnd = { status: null, signal: null };
  const { onEof } = options;
  const channel = await connection.open({
    onData: (bytes, isError, used) => options.onData(bytes, isError, used),
    ...(onEof === undefined ? {} : { onEof }),
    onRequest: (name, reader) => {
      if (name === "exit-status") end = { ...end, status: reader.uint32() };
      else if (name === "exit-signal") end = { ...end, signal: reader.text(NAME_BYTES_MAX) };
    },
  });
  try {
    await start(channel, options);
  } catch (error) {
    channel.close();
    throw error;
  }
  return {
    write: (bytes) => channel.write(bytes),
    resize: ({ columns, rows }) =>
      channel.tell("window-change", (w) => w.uint32(columns).uint32(rows).uint32(0).uint32(0)),
    eof: () => channel.eof(),
    close: () => channel.close(),
    signal: (name) => channel.tell("signal", (w) => w.text(name)),
    ended: channel.closed.then(() => end),
  };
}

async function start(channel: Channel, { terminal, run, environment }: SessionOptions): Promise<void> {
  for (const [name, value] of Object.entries(environment ?? {})) {
    channel.tell("env", (w) => w.text(name).text(value));
  }
  if (terminal !== null) {
    const { columns, rows } = terminal;
    await channel.request("pty-req", (w) =>
      w.text("xterm-256color").uint32(columns).uint32(rows).uint32(0).uint32(0).string(MODES),
    );
  }
  if ("shell" in run) await channel.request("shell");
  else if ("command" in run) await channel.request("exec", (w) => w.text(run.command));
  else await channel.request("subsystem", (w) => w.text(run.subsystem));
}

/** Terminal modes: IUTF8 on (RFC 8160), then the end of the list. */
const MODES = Uint8Array.of(42, 0, 0, 0, 1, 0);
