/**
 * Constants of the relay's frames, for both ends, the relay, and pages. `wire/relay.ts` explains them.
 *
 * @module
 */

/** Initial credit in bytes of each end of a new stream: enough for a sign-in and a shell. */
export const RELAY_CREDIT_INITIAL = 64 * 1024;
/** Window in bytes of a bulk stream until its reader's speed is known. */
export const RELAY_CREDIT_BULK = 1024 * 1024;
/** Most bytes of credit open in one direction of a stream. Bounds what a stream can cost the relay. */
export const RELAY_CREDIT_MAX = 4 * 1024 * 1024;
/**
 * Most bytes of data in one frame: room for the eight packets of 32 kB that an SSH transport writes at once.
 */
export const RELAY_DATA_BYTES_MAX = 264 * 1024;
/** Bytes before the payload of a frame: type and stream id. */
export const RELAY_FRAME_HEADER_BYTES = 5;
/** Largest frame in bytes. */
export const RELAY_FRAME_BYTES_MAX = RELAY_FRAME_HEADER_BYTES + RELAY_DATA_BYTES_MAX;
/** How often either end of a socket pings, in milliseconds. */
export const RELAY_PING_MS = 5_000;
/** Silence after which a socket counts as dead, in milliseconds. */
export const RELAY_TIMEOUT_MS = 15_000;

/** Types of frame, by their number on the wire. */
export const RELAY_FRAME = {
  /** Relay to agent: a stream begins; the payload is `RelayOpen` in JSON. */
  open: 1,
  data: 2,
  /** The receiver of data grants uint32 more bytes. */
  credit: 3,
  /** No more data from this end. */
  eof: 4,
  /** The stream is over; the payload is one byte of `RELAY_RESET`. */
  reset: 5,
  ping: 6,
  pong: 7,
} as const;
/** The number of a type of frame. */
export type RelayFrameType = (typeof RELAY_FRAME)[keyof typeof RELAY_FRAME];

/** Reasons for which a stream is over, by their number on the wire. */
export const RELAY_RESET = {
  /** The other end is gone, or the machine refuses the stream without giving a reason. */
  gone: 1,
  /** No rule lets this device reach that peer. */
  refused: 2,
  /** The machine has no link to the relay. */
  absent: 3,
  /** No room: too many streams, or too much waits to be read. */
  limit: 4,
  /** An end broke the rules of this file. */
  violation: 5,
  /** Management stops. */
  closing: 6,
  /** The request proves no registered device. */
  unproven: 7,
  /** The relay has lost its way to the machine, or finds none now. */
  broken: 8,
  /** The dashboard session that opened the page's stream has ended. */
  signed_out: 9,
} as const;
/** The name of such a reason. */
export type RelayReset = keyof typeof RELAY_RESET;
