/**
 * The byte stream under SSH: a relayed stream in the page, a TCP socket in tests.
 *
 * @module
 */
import type { Bytes } from "./bytes.ts";

export interface ByteLink {
  /** Sends the bytes. The link buffers those that cannot go yet. */
  send(bytes: Bytes): void;
  /** Closes the link, without a call of `onEnd`. */
  close(): void;
  /** Sets the reader, once. Nothing that arrives before is lost. */
  listen(listener: LinkListener): void;
}

export interface LinkListener {
  /** The reader calls `taken` once it has consumed the bytes, so that as many more may come. */
  onBytes(bytes: Bytes, taken: () => void): void;
  /** Called once: the other end or the path to it is gone. `ended`: on purpose. */
  onEnd(reason: string, code: "lost" | "ended"): void;
}
