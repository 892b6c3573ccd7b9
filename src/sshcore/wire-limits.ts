/**
 * Limits on one SSH connection. Each protects memory or time that others need.
 *
 * @module
 */
export interface WireLimits {
  /** Milliseconds from the identification line to a signed-in user; 0 leaves it to the caller. */
  readonly graceMs: number;
  /** Payload bytes before sign-in. Enough for 20 attempts with a 20 kB certificate. */
  readonly preAuthBytesMax: number;
  /** IGNORE, DEBUG and UNIMPLEMENTED messages before sign-in. */
  readonly chatterMax: number;
  /** USERAUTH_REQUESTs, including key queries. */
  readonly authRequestsMax: number;
  readonly channelsMax: number;
  /** Longest packet that a server accepts after sign-in. Before, it is 35,000 bytes. */
  readonly packetBytesMax: number;
  /** Unanswered global requests. */
  readonly unansweredMax: number;
  /** Unsent bytes above which reading stops: a peer that sends requests and never reads causes them. */
  readonly unsentBytesMax: number;
  /** Packets that wait for the end of a key exchange. */
  readonly queuedPacketsMax: number;
  /** Longest duration of a key exchange after sign-in. */
  readonly rekeyStallMs: number;
  /** Bytes in both directions, and time, after which we rekey. */
  readonly rekeyBytes: number;
  readonly rekeyMs: number;
  /** How long an ended connection may take to receive our last messages. */
  readonly lingerMs: number;
}

export const WIRE_LIMITS: WireLimits = {
  graceMs: 0,
  preAuthBytesMax: 1024 * 1024,
  chatterMax: 32,
  authRequestsMax: 40,
  channelsMax: 256,
  // The longest command the kernel accepts, 128 kB, must fit; sshd accepts as much.
  packetBytesMax: 256 * 1024,
  unansweredMax: 256,
  unsentBytesMax: 4 * 1024 * 1024,
  queuedPacketsMax: 2_048,
  rekeyStallMs: 60_000,
  rekeyBytes: 1024 ** 3,
  rekeyMs: 3_600_000,
  lingerMs: 2_000,
};

/** Longest fields of a USERAUTH_REQUEST and of a SERVICE_REQUEST, in bytes. */
export const USER_NAME_BYTES_MAX = 255;
export const SERVICE_NAME_BYTES_MAX = 64;
export const METHOD_NAME_BYTES_MAX = 64;
/** Most answers in one response, and the longest answer. */
export const ANSWERS_MAX = 16;
export const ANSWER_BYTES_MAX = 8_192;
/** OpenSSH's is about 1.5 kB. */
export const KEXINIT_BYTES_MAX = 16_384;
export const EXTENSIONS_MAX = 16;
export const PING_BYTES_MAX = 1_024;
/** A smaller one would fragment data too much; RFC 4253 section 6.1 does not guarantee a larger one. */
export const CHANNEL_PACKET_BYTES_MIN = 256;
export const CHANNEL_PACKET_BYTES_MAX = 32_768;
export const CHANNEL_TYPE_BYTES_MAX = 256;
/** RFC 4254 section 5.2. */
export const WINDOW_MAX = 0xffff_ffff;
