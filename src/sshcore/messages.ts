/**
 * SSH messages that we encode ourselves (RFC 4252, 4253, 4254), and their numbers.
 *
 * @module
 */
import { SshWriter } from "../base/ssh-buffer.ts";

export const MESSAGE = {
  DISCONNECT: 1,
  DEBUG: 4,
  USERAUTH_BANNER: 53,
  CHANNEL_OPEN: 90,
  CHANNEL_OPEN_FAILURE: 92,
  CHANNEL_WINDOW_ADJUST: 93,
  CHANNEL_DATA: 94,
  CHANNEL_CLOSE: 97,
  CHANNEL_REQUEST: 98,
} as const;

/** RFC 4253 section 11.1. */
export const DISCONNECT = {
  BY_APPLICATION: 11,
  NO_MORE_AUTH_METHODS: 14,
} as const;

/** RFC 4254 section 5.1. */
export const OPEN_FAILURE = {
  ADMINISTRATIVELY_PROHIBITED: 1,
  CONNECT_FAILED: 2,
  UNKNOWN_CHANNEL_TYPE: 3,
  RESOURCE_SHORTAGE: 4,
} as const;

/** A banner, which the client shows before it learns of a refusal (RFC 4252 section 5.4). */
export function bannerMessage(text: string): Buffer {
  return new SshWriter().uint8(MESSAGE.USERAUTH_BANNER).text(text).text("").toBuffer();
}

export function disconnectMessage(reason: number, text: string): Buffer {
  return new SshWriter().uint8(MESSAGE.DISCONNECT).uint32(reason).text(text).text("").toBuffer();
}

/** Text that OpenSSH's client shows with -v (SSH_MSG_DEBUG, RFC 4253 section 11.3). */
export function debugMessage(text: string): Buffer {
  return new SshWriter().uint8(MESSAGE.DEBUG).uint8(1).text(text).text("").toBuffer();
}

export function channelOpenFailure(recipient: number, reason: number, text: string): Buffer {
  return new SshWriter()
    .uint8(MESSAGE.CHANNEL_OPEN_FAILURE)
    .uint32(recipient)
    .uint32(reason)
    .text(text)
    .text("")
    .toBuffer();
}
