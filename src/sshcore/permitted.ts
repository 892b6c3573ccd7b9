/**
 * The messages that the other end may send in each state of a connection, as data.
 *
 * It is stricter than RFC 4253 and 4252 where no client needs the freedom: no chatter during a key exchange
 * (which Terrapin, CVE-2023-48795, exploited), no rekey before authentication, no requests ahead of an
 * answer. A message not permitted in the current state ends the connection.
 *
 * @module
 */

/** Message numbers of RFC 4250 section 4.1, RFC 8308 and OpenSSH's PROTOCOL. */
export const SSH = {
  DISCONNECT: 1,
  IGNORE: 2,
  UNIMPLEMENTED: 3,
  DEBUG: 4,
  SERVICE_REQUEST: 5,
  SERVICE_ACCEPT: 6,
  EXT_INFO: 7,
  KEXINIT: 20,
  NEWKEYS: 21,
  KEX_ECDH_INIT: 30,
  KEX_ECDH_REPLY: 31,
  USERAUTH_REQUEST: 50,
  USERAUTH_FAILURE: 51,
  USERAUTH_SUCCESS: 52,
  USERAUTH_BANNER: 53,
  /** PK_OK, INFO_REQUEST or PASSWD_CHANGEREQ, by method. */
  USERAUTH_ASKS: 60,
  USERAUTH_INFO_RESPONSE: 61,
  GLOBAL_REQUEST: 80,
  REQUEST_SUCCESS: 81,
  REQUEST_FAILURE: 82,
  CHANNEL_OPEN: 90,
  CHANNEL_OPEN_CONFIRMATION: 91,
  CHANNEL_OPEN_FAILURE: 92,
  CHANNEL_WINDOW_ADJUST: 93,
  CHANNEL_DATA: 94,
  CHANNEL_EXTENDED_DATA: 95,
  CHANNEL_EOF: 96,
  CHANNEL_CLOSE: 97,
  CHANNEL_REQUEST: 98,
  CHANNEL_SUCCESS: 99,
  CHANNEL_FAILURE: 100,
  PING: 192,
  PONG: 193,
} as const;

/**
 * - `first`: the identification line was read, nothing else.
 * - `kex`, `newkeys`: their KEXINIT came; their half of the exchange came.
 * - `keyed`: NEWKEYS just came. `service`: something came after it.
 * - `auth`: the authentication service runs. `prompted`: it waits for answers to our prompts.
 * - `open`: somebody is signed in. `rekey`, `rekey-newkeys`: as above, and keys are exchanged again.
 */
export type GuardState =
  | "first"
  | "kex"
  | "newkeys"
  | "keyed"
  | "service"
  | "auth"
  | "prompted"
  | "open"
  | "rekey"
  | "rekey-newkeys";

export type Role = "server" | "client";

/** Messages without effect; counted before authentication. */
export const CHATTER: readonly number[] = [SSH.IGNORE, SSH.UNIMPLEMENTED, SSH.DEBUG];
const QUIET = [SSH.DISCONNECT] as const;
const TALK = [SSH.DISCONNECT, ...CHATTER] as const;

/** Messages of the connection protocol (RFC 4254). */
export const CONNECTION: readonly number[] = [
  SSH.GLOBAL_REQUEST,
  SSH.REQUEST_SUCCESS,
  SSH.REQUEST_FAILURE,
  SSH.CHANNEL_OPEN,
  SSH.CHANNEL_OPEN_CONFIRMATION,
  SSH.CHANNEL_OPEN_FAILURE,
  SSH.CHANNEL_WINDOW_ADJUST,
  SSH.CHANNEL_DATA,
  SSH.CHANNEL_EXTENDED_DATA,
  SSH.CHANNEL_EOF,
  SSH.CHANNEL_CLOSE,
  SSH.CHANNEL_REQUEST,
  SSH.CHANNEL_SUCCESS,
  SSH.CHANNEL_FAILURE,
];
const OPEN: readonly number[] = [...TALK, SSH.KEXINIT, ...CONNECTION, SSH.PING, SSH.PONG];

/** What `role` accepts from the other end. */
export const PERMITTED: Readonly<Record<Role, Readonly<Record<GuardState, readonly number[]>>>> = {
  server: {
    first: [...QUIET, SSH.KEXINIT],
    kex: [...QUIET, SSH.KEX_ECDH_INIT],
    newkeys: [...QUIET, SSH.NEWKEYS],
    // RFC 8308 section 2.4: EXT_INFO of a client is the first message after its NEWKEYS, or never.
    keyed: [...TALK, SSH.EXT_INFO, SSH.SERVICE_REQUEST],
    service: [...TALK, SSH.SERVICE_REQUEST],
    // paramiko requests the service again before each attempt.
    auth: [...TALK, SSH.USERAUTH_REQUEST, SSH.SERVICE_REQUEST],
    prompted: [...TALK, SSH.USERAUTH_REQUEST, SSH.USERAUTH_INFO_RESPONSE],
    // RFC 4252 section 5.1: requests after success are ignored in silence.
    open: [...OPEN, SSH.USERAUTH_REQUEST],
    // RFC 4253 section 7.1 forbids connection messages after a KEXINIT. Like sshd(8) we accept them: JSch
    // writes from several threads, so data, a window or a keepalive may follow its KEXINIT. They are still
    // protected by the current keys and checked as usual.
    rekey: [...TALK, SSH.KEX_ECDH_INIT, ...CONNECTION],
    "rekey-newkeys": [...TALK, SSH.NEWKEYS, ...CONNECTION],
  },
  client: {
    first: [...QUIET, SSH.KEXINIT],
    kex: [...QUIET, SSH.KEX_ECDH_REPLY],
    newkeys: [...QUIET, SSH.NEWKEYS],
    keyed: [...TALK, SSH.EXT_INFO, SSH.SERVICE_ACCEPT],
    service: [...TALK, SSH.SERVICE_ACCEPT],
    // RFC 8308 section 2.4: a server's second EXT_INFO directly precedes its success.
    auth: [
      ...TALK,
      SSH.EXT_INFO,
      SSH.USERAUTH_FAILURE,
      SSH.USERAUTH_SUCCESS,
      SSH.USERAUTH_BANNER,
      SSH.USERAUTH_ASKS,
    ],
    prompted: [],
    open: OPEN,
    rekey: [...TALK, SSH.KEX_ECDH_REPLY],
    "rekey-newkeys": [...TALK, SSH.NEWKEYS],
  },
};

const KNOWN: ReadonlySet<number> = new Set(Object.values(SSH));

/** Whether `type` is unknown and must be answered with UNIMPLEMENTED (RFC 4253 section 11.4). */
export function isUnknownMessage(type: number): boolean {
  return !KNOWN.has(type) && (type < SSH.NEWKEYS || type >= SSH.USERAUTH_REQUEST);
}
