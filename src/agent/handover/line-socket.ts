/**
 * JSON lines over a Unix socket, in both directions. Lines that the socket cannot take yet are buffered, up
 * to a bound.
 *
 * @module
 */
import type { Socket } from "bun";
import { parseJson } from "../../base/files.ts";
import { HANDOVER_LINE_BYTES_MAX } from "../../wire/handover.ts";

/** Bytes that may wait for the reader: one map and some more. Beyond that the socket is closed. */
const UNSENT_BYTES_MAX = HANDOVER_LINE_BYTES_MAX + 64 * 1024 * 1024;

/** The lines of one socket. */
export class LineSocket {
  readonly #socket: Socket<unknown>;
  #unsent: Buffer[] = [];
  #unsentBytes = 0;
  #received: Buffer[] = [];
  #receivedBytes = 0;

  constructor(socket: Socket<unknown>) {
    this.#socket = socket;
  }

  /** The descriptor, which Bun's sockets have although its types do not say so. */
  get fd(): number {
    return (this.#socket as unknown as { readonly fd: number }).fd;
  }

  send(message: unknown): void {
    const line = Buffer.from(`${JSON.stringify(message)}\n`);
    if (this.#unsentBytes + line.length > UNSENT_BYTES_MAX) {
      this.close();
      return;
    }
    this.#unsent.push(line);
    this.#unsentBytes += line.length;
    this.flush();
  }

  /** Call when the socket has room again. */
  flush(): void {
    for (let next = this.#unsent[0]; next !== undefined; next = this.#unsent[0]) {
      const written = Math.max(0, this.#socket.write(next));
      this.#unsentBytes -= written;
      if (written < next.length) {
        this.#unsent[0] = next.subarray(written);
        return;
      }
      this.#unsent.shift();
    }
  }

  /** Returns the lines that `chunk` completes, parsed. Undefined stands for a line that is not JSON. */
  take(chunk: Uint8Array): unknown[] {
    const values: unknown[] = [];
    let rest = Buffer.from(chunk);
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
      const line = Buffer.concat([...this.#received, rest.subarray(0, end)]).toString("utf8");
      values.push(parseJson(line));
      this.#received = [];
      this.#receivedBytes = 0;
      rest = rest.subarray(end + 1);
    }
    this.#received.push(rest);
    this.#receivedBytes += rest.length;
    if (this.#receivedBytes > HANDOVER_LINE_BYTES_MAX) this.close();
    return values;
  }

  close(): void {
    this.#socket.terminate();
  }
}
