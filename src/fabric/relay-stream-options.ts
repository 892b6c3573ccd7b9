/**
 * The socket that a relayed stream runs on, as the stream sees it.
 *
 * @module
 */

/** How a stream sends its frames, and what it reports. */
export interface RelayStreamOptions {
  /** Its id on the socket. */
  readonly id: number;
  send(frame: Buffer): void;
  /** Whether `send` has copied the frame when it returns, as a WebSocket does. Default false. */
  readonly sendsCopy?: boolean;
  /** Most bytes that the window of this stream may have now. Default RELAY_CREDIT_MAX. */
  readonly windowBytes?: () => number;
  /** Called when the first byte has come. */
  readonly onAnswer?: () => void;
  /** Called once, when the stream is destroyed at this end. */
  readonly onClosed?: () => void;
}
