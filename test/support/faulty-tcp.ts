/**
 * A bad network: a TCP port before another, that delays, cuts into pieces, mixes up, sends twice, falls
 * silent or breaks what passes. It knows nothing of what is in it.
 */
import { connect, createServer, type Socket } from "node:net";

export interface Fault {
  /** Milliseconds that every piece takes longer. */
  readonly delayMs?: number;
  /** Bytes that pass at once, at most. */
  readonly pieceBytes?: number;
  /** Every so manieth piece is held back until the next has passed. */
  readonly swapEvery?: number;
  /** Every so manieth piece passes twice. */
  readonly twiceEvery?: number;
  /** Nothing passes, and nothing is closed: as when a cable is pulled. */
  readonly isSilent?: boolean;
}

export interface FaultyTcp {
  readonly port: number;
  /** Port on loopback behind it. */
  upstream: number;
  /** For every piece from now on. */
  fault: Fault;
  /** Breaks every connection there is. */
  cut(): void;
  close(): void;
}

/** A piece that was held back passes after this when none follows. */
const SWAP_MS = 30;

export async function openFaultyTcp(upstream = 0): Promise<FaultyTcp> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
  };
  const server = createServer((client) => {
    const behind = connect(faulty.upstream, "127.0.0.1");
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      track(from);
      from.setNoDelay(true);
      carry(from, to, () => faulty.fault);
      from.on("close", () => {
        if (faulty.fault.isSilent !== true) to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const faulty: FaultyTcp = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    upstream,
    fault: {},
    cut,
    close() {
      server.close();
      cut();
    },
  };
  return faulty;
}

/** Passes what comes from one to the other, one piece after the other. */
function carry(from: Socket, to: Socket, faultNow: () => Fault): void {
  let turn: Promise<void> = Promise.resolve();
  let count = 0;
  let held: Buffer | null = null;
  const put = (piece: Buffer): void => {
    if (!to.destroyed) to.write(piece);
  };
  const release = (): void => {
    if (held !== null) put(held);
    held = null;
  };
  const pass = async (piece: Buffer): Promise<void> => {
    const { delayMs, swapEvery, twiceEvery, isSilent } = faultNow();
    if (delayMs !== undefined) await Bun.sleep(delayMs);
    if (isSilent === true) return;
    count += 1;
    if (swapEvery !== undefined && held === null && count % swapEvery === 0) {
      held = piece;
      setTimeout(release, SWAP_MS);
      return;
    }
    put(piece);
    if (twiceEvery !== undefined && count % twiceEvery === 0) put(piece);
    release();
  };
  from.on("data", (chunk: Buffer) => {
    const size = faultNow().pieceBytes ?? chunk.length;
    from.pause();
    for (let at = 0; at < chunk.length; at += size) {
      const piece = Buffer.from(chunk.subarray(at, at + size));
      turn = turn.then(() => pass(piece));
    }
    // What is behind is not read faster than it passes.
    turn = turn.then(async () => {
      while (to.writableLength > 1024 * 1024 && !to.destroyed) await Bun.sleep(2);
      from.resume();
    });
  });
  from.on("end", () => {
    turn = turn.then(() => {
      release();
      if (faultNow().isSilent !== true) to.end();
    });
  });
}
