/**
 * Numbers of SFTP version 3 (draft-ietf-secsh-filexfer-02), and OpenSSH's server limits.
 *
 * @module
 */

export const SFTP_VERSION = 3;
/** Longest packet without its length field, both ways. A longer one ends the server. */
export const PACKET_BYTES_MAX = 256 * 1024;
/** Most file bytes in one packet. Announced by `limits@openssh.com`, and the maximum that READ returns. */
export const DATA_BYTES_MAX = PACKET_BYTES_MAX - 1024;
/** Most open files and folders. The kernel's own limit may be lower. */
export const HANDLES_MAX = 1000;
/** Linux's PATH_MAX without the NUL. */
export const PATH_BYTES_MAX = 4095;
/** Longest READDIR answer. The draft only requires clients to accept packets of 34,000 bytes. */
export const LISTING_BYTES_MAX = 32_768;
/** Most ids in one `users-groups-by-id@openssh.com`. */
export const IDS_MAX = 4096;

/** Client packet types. */
export const Request = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  extended: 200,
} as const;

/** Server packet types. */
export const Reply = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 201,
} as const;

/** SSH_FX_* codes that a server uses. */
export const Status = {
  ok: 0,
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/** SSH_FXF_*: how a client wants to open a file. */
export const OpenFlag = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

/** SSH_FILEXFER_ATTR_*: which attributes follow. */
export const AttributeFlag = { size: 1, owner: 2, permissions: 4, times: 8, extended: 0x8000_0000 } as const;
