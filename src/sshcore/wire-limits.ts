/**
 * Limits on one SSH connection. Each protects the memory or the time of everybody else.
 *
 * @module
 */
export interface WireLimits {
  /** Milliseconds from the identification line to a signed-in user; 0 leaves it to the caller. */
  readonly graceMs: number;
  /** Bytes of payload before somebody is signed in. 20 tries with a certificate of 20 kB fit. */
  readonly preAuthBytesMax: number;
  /** IGNORE, DEBUG and UNIMPLEMENTED before somebody is signed in. */
  readonly chatterMax: number;
  /** USERAUTH_REQUESTs, queries for a key included. */
  readonly authRequestsMax: number;
  readonly channelsMax: number;
  /** Longest packet that a server takes of somebody who is signed in; before that it is 35,000 bytes. */
  readonly packetBytesMax: number;
  /** Global requests that wait for our answer. */
  readonly unansweredMax: number;
  /** Unsent bytes above which no more is read: they come from a peer that asks and never reads. */
  readonly unsentBytesMax: number;
  /** Packets that wait for the end of a key exchange. */
  readonly queuedPacketsMax: number;
  /** Longest that a key exchange may take once somebody is signed in. */
  readonly rekeyStallMs: number;
  /** Bytes of both directions, and time, after which we exchange keys again. */
  readonly rekeyBytes: number;
  readonly rekeyMs: number;
  /** How long an ended connection may take to take our last words. */
  readonly lingerMs: number;
}

export const WIRE_LIMITS: WireLimits = {
  graceMs: 0,
  preAuthBytesMax: 1024 * 1024,
  chatterMax: 32,
  authRequestsMax: 40,
  channelsMax: 256,
  // A command of 128 kB, the longest that the kernel passes on, has to fit; sshd takes as much.
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
/** Prompts answered at once, and the longest answer. */
export const ANSWERS_MAX = 16;
export const ANSWER_BYTES_MAX = 8_192;
/** OpenSSH's is about 1.5 kB. */
export const KEXINIT_BYTES_MAX = 16_384;
export const EXTENSIONS_MAX = 16;
export const PING_BYTES_MAX = 1_024;
/** A smaller one makes us cut data into dust; a larger one is not what RFC 4253 section 6.1 promises. */
export const CHANNEL_PACKET_BYTES_MIN = 256;
export const CHANNEL_PACKET_BYTES_MAX = 32_768;
export const CHANNEL_TYPE_BYTES_MAX = 256;
/** RFC 4254 section 5.2. */
export const WINDOW_MAX = 0xffff_ffff;
