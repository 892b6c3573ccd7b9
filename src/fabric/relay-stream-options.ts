/**
 * Interface between a relayed stream and its socket.
 *
 * @module
 */

/** How a stream sends frames, and what it reports. */
export interface RelayStreamOptions {
  /** Its id on the socket. */
  readonly id: number;
  send(frame: Buffer): void;
  /** Whether `send` has copied the frame when it returns, as a WebSocket does. Default false. */
  readonly sendsCopy?: boolean;
  /** Largest window of this stream at the moment, in bytes. Default RELAY_CREDIT_MAX. */
  readonly windowBytes?: () => number;
  /** Called when the first byte arrives. */
  readonly onAnswer?: () => void;
  /** Called once, when the stream is destroyed at this end. */
  readonly onClosed?: () => void;
}
