/**
 * The bytes below SSH: a relayed stream in the page, a TCP socket in tests.
 *
 * @module
 */
import type { Bytes } from "./bytes.ts";

export interface ByteLink {
  /** Takes the bytes; what cannot go yet waits in the link. */
  send(bytes: Bytes): void;
  /** Ends it. `onEnd` is not called for that. */
  close(): void;
  /** Set once by whoever reads; nothing may be lost before. */
  listen(listener: LinkListener): void;
}

export interface LinkListener {
  /** `taken` is called once the bytes are used up, so that as many more may come. */
  onBytes(bytes: Bytes, taken: () => void): void;
  /** Once: the other end, or the way to it, is gone. `ended`: on purpose. */
  onEnd(reason: string, code: "lost" | "ended"): void;
}
