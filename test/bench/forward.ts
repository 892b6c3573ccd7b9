/** `-L` of stock ssh(1), to our agent and to Debian's sshd: bytes a second, a round trip, a new stream. */
import { freePort } from "../support/echo.ts";
import { median, timed } from "./figures.ts";
import type { Way } from "./openssh.ts";

export interface ForwardFigures {
  /** Milliseconds for `bytes` from the far end to here. */
  readonly downMs: number;
  readonly upMs: number;
  /** Microseconds for one byte there and back on an open stream. */
  readonly roundTripUs: number;
  /** Milliseconds from connecting to the first byte back. */
  readonly openMs: number;
  /** Milliseconds from connecting as many as `CROWD` at once to the first byte back of the last. */
  readonly crowdMs: number;
}

/** Streams that are opened at once. */
export const CROWD = 100;

const ROUND_TRIPS = 500;
const OPENINGS = 30;
const CROWDS = 5;
const CHUNK = Buffer.alloc(256 * 1024);

/** What the far end does is told by the first byte: `d` sends for ever, `u` counts to a size, `e` echoes. */
function startTarget(bytes: number): Bun.TCPSocketListener<{ kind: string; left: number }> {
  const send = (socket: Bun.Socket<{ kind: string; left: number }>): void => {
    while (socket.data.left > 0) {
      const count = socket.write(CHUNK.subarray(0, Math.min(CHUNK.length, socket.data.left)));
      if (count <= 0) return;
      socket.data.left -= count;
    }
  };
  return Bun.listen<{ kind: string; left: number }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = { kind: "", left: bytes };
      },
      data(socket, data) {
        const { data: state } = socket;
        if (state.kind === "") state.kind = String.fromCharCode(data[0] ?? 0);
        if (state.kind === "d") send(socket);
        else if (state.kind === "e") socket.write(data);
        else {
          state.left -= data.length;
          if (state.left <= 0) socket.write("!");
        }
      },
      drain(socket) {
        if (socket.data.kind === "d") send(socket);
      },
    },
  });
}

/** Measures one way once. */
export async function measureForward(way: Way, bytes: number): Promise<ForwardFigures> {
  const target = startTarget(bytes);
  const port = await freePort();
  const argv = ["ssh", ...way.ssh, "-o", "ExitOnForwardFailure=yes", "-N"];
  const child = Bun.spawn([...argv, "-L", `${port}:127.0.0.1:${target.port}`, way.destination], {
    env: way.env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  try {
    await reachable(port);
    const openings: number[] = [];
    for (let i = 0; i < OPENINGS; i++) openings.push(await timed(() => roundTrips(port, 1)));
    const crowds: number[] = [];
    for (let i = 0; i < CROWDS; i++) {
      crowds.push(await timed(() => Promise.all(Array.from({ length: CROWD }, () => roundTrips(port, 1)))));
    }
    const roundTripUs = ((await timed(() => roundTrips(port, ROUND_TRIPS))) * 1000) / ROUND_TRIPS;
    const downMs = await timed(() => transfer(port, "d", bytes));
    const upMs = await timed(() => transfer(port, "u", bytes));
    return { downMs, upMs, roundTripUs, openMs: median(openings), crowdMs: median(crowds) };
  } finally {
    child.kill("SIGTERM");
    await child.exited;
    target.stop(true);
  }
}

async function reachable(port: number): Promise<void> {
  const until = performance.now() + 10_000;
  for (;;) {
    try {
      return await roundTrips(port, 1);
    } catch (cause) {
      if (performance.now() > until) throw cause;
      await Bun.sleep(20);
    }
  }
}

/** One byte there and back, `count` times. */
function roundTrips(port: number, count: number): Promise<void> {
  let left = count;
  return converse(port, {
    open: (socket) => void socket.write("e"),
    data: (socket) => {
      left -= 1;
      if (left > 0) socket.write("e");
      return left === 0;
    },
  });
}

function transfer(port: number, kind: "d" | "u", bytes: number): Promise<void> {
  let left = bytes;
  const fill = (socket: Bun.Socket): void => {
    while (left > 0) {
      const count = socket.write(CHUNK.subarray(0, Math.min(CHUNK.length, left)));
      if (count <= 0) return;
      left -= count;
    }
  };
  return converse(port, {
    open(socket) {
      if (kind === "d") socket.write("d");
      else {
        left -= socket.write("u");
        fill(socket);
      }
    },
    drain: (socket) => {
      if (kind === "u") fill(socket);
    },
    data(_socket, data) {
      if (kind === "u") return true;
      left -= data.length;
      return left <= 0;
    },
  });
}

interface Talk {
  open(socket: Bun.Socket): void;
  drain?(socket: Bun.Socket): void;
  /** True: that was all. */
  data(socket: Bun.Socket, data: Buffer): boolean;
}

function converse(port: number, talk: Talk): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) => talk.open(socket),
        drain: (socket) => talk.drain?.(socket),
        data(socket, data) {
          if (isOver || !talk.data(socket, data)) return;
          isOver = true;
          resolve();
          socket.end();
        },
        close: () => reject(new Error("the stream ended early")),
        error: (_socket, cause) => reject(cause),
      },
    }).catch(reject);
  });
}
