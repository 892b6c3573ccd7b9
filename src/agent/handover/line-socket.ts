/**
 * JSON lines over a unix socket, both ways: what does not fit into the socket waits here, within a bound.
 *
 * @module
 */
import type { Socket } from "bun";
import { parseJson } from "../../base/files.ts";
import { HANDOVER_LINE_BYTES_MAX } from "../../wire/handover.ts";

/** Bytes that may wait for a reader: one map and some more. */
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

  /** Bun's sockets have the descriptor; its types do not say so. */
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

  /** To be called when the socket has room again. */
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

  /** The whole lines that `chunk` ends, parsed; undefined for what is no JSON. */
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
