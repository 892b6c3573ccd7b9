/** SOCKS clients, as programs have them. */
import { Socket } from "node:net";

/** Sends `text` and its end through the proxy at `port`; all that comes back. Rejects with `refused N`. */
export function socks5(port: number, host: string, hostPort: number, text: string): Promise<string> {
  const name = Buffer.from(host);
  const request = Buffer.from([5, 1, 0, 3, name.length, ...name, hostPort >> 8, hostPort & 0xff]);
  return through(port, text, [
    { send: Buffer.from([5, 1, 0]), bytes: 2, code: (answer) => answer[1] },
    { send: request, bytes: 10, code: (answer) => answer[1] },
  ]);
}

/** The same by version 4a. */
export function socks4a(port: number, host: string, hostPort: number, text: string): Promise<string> {
  const head = [4, 1, hostPort >> 8, hostPort & 0xff, 0, 0, 0, 1, 0];
  const request = Buffer.concat([Buffer.from(head), Buffer.from(`${host}\0`)]);
  return through(port, text, [
    { send: request, bytes: 8, code: (answer) => (answer[1] === 90 ? 0 : answer[1]) },
  ]);
}

interface Round {
  readonly send: Buffer;
  /** Length of the answer. */
  readonly bytes: number;
  readonly code: (answer: Buffer) => number | undefined;
}

function through(port: number, text: string, rounds: readonly Round[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new Socket({ allowHalfOpen: true });
    let received = Buffer.alloc(0);
    let round = 0;
    socket.setTimeout(10_000, () => socket.destroy(new Error("no answer in time")));
    socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
      for (let at = rounds[round]; at !== undefined && received.length >= at.bytes; at = rounds[round]) {
        const code = at.code(received);
        if (code !== 0) return void socket.destroy(new Error(`refused ${code}`));
        received = received.subarray(at.bytes);
        round += 1;
        const next = rounds[round];
        if (next === undefined) socket.end(text);
        else socket.write(next.send);
      }
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(received.toString()));
    socket.connect(port, "127.0.0.1", () => {
      const [first] = rounds;
      if (first !== undefined) socket.write(first.send);
    });
  });
}
