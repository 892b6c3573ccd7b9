/**
 * Checks that a server's host key is one that management named, from the unencrypted bytes of its first key
 * exchange (RFC 4253 sections 4.2, 6 and 8, RFC 5656 section 4).
 *
 * It serves an ssh(1) that accepts any host key. Before the key is known it passes only the version line,
 * KEXINIT, the reply with the key and NEWKEYS, in that order, or a DISCONNECT. ssh(1) itself verifies that
 * the server holds the key. It has no side effects.
 *
 * @module
 */

/** RFC 4253 section 4.2: the line with its end. */
const VERSION_BYTES_MAX = 255;
/** RFC 4253 section 6.1: what every implementation must accept; host keys and KEXINIT are far smaller. */
const PACKET_BYTES_MAX = 35_000;
const HEADER_BYTES = 5;
const LF = 0x0a;
const DISCONNECT = 1;
const KEXINIT = 20;
const NEWKEYS = 21;
/** KEXDH_REPLY, KEX_ECDH_REPLY and the hybrids' reply share this number and begin with the key. */
const KEX_REPLY = 31;

export interface HostKeyCheck {
  /** Takes bytes from the server and returns those to pass to ssh(1). Null: nothing more may pass. */
  push(bytes: Buffer): Buffer | null;
  /** Whether the key was right, so that everything passes. */
  readonly isDone: boolean;
}

/** `hostKeys`: the blobs, as management named them. */
export function createHostKeyCheck(hostKeys: readonly Buffer[]): HostKeyCheck {
  const expected = [KEXINIT, KEX_REPLY, NEWKEYS];
  let held: Buffer = Buffer.alloc(0);
  let hasVersion = false;
  let isRefused = false;

  /** Length of the next valid line or packet. 0: incomplete. -1: invalid. */
  const next = (bytes: Buffer): number => {
    if (!hasVersion) {
      const length = versionLength(bytes);
      hasVersion = length > 0;
      return length;
    }
    const packet = readPacket(bytes);
    if (packet === undefined) return isTooLong(bytes) ? -1 : 0;
    const type = packet.payload[0];
    if (type === DISCONNECT) return packet.length;
    if (type !== expected[0]) return -1;
    if (type === KEX_REPLY && !hostKeys.some((key) => key.equals(firstString(packet.payload)))) return -1;
    expected.shift();
    return packet.length;
  };

  return {
    get isDone() {
      return expected.length === 0 && !isRefused;
    },
    push(bytes) {
      if (isRefused) return null;
      held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      let passed = 0;
      while (expected.length > 0) {
        const length = next(held.subarray(passed));
        if (length < 0) {
          isRefused = true;
          return null;
        }
        if (length === 0) break;
        passed += length;
      }
      const out = expected.length === 0 ? held : held.subarray(0, passed);
      held = held.subarray(out.length);
      return out;
    },
  };
}

/** Allows no line before it, and no character that parsers could treat differently. */
function versionLength(bytes: Buffer): number {
  const end = bytes.indexOf(LF);
  if (end < 0) return bytes.length >= VERSION_BYTES_MAX ? -1 : 0;
  const isVersion = /^SSH-2\.0-[\x20-\x7e]+\r\n$/.test(bytes.toString("latin1", 0, end + 1));
  return isVersion && end < VERSION_BYTES_MAX ? end + 1 : -1;
}

function isTooLong(bytes: Buffer): boolean {
  return bytes.length >= 4 && bytes.readUInt32BE(0) > PACKET_BYTES_MAX;
}

/** A packet before encryption: no MAC, padded to 8 bytes. Undefined when incomplete. */
function readPacket(bytes: Buffer): { readonly length: number; readonly payload: Buffer } | undefined {
  if (bytes.length < HEADER_BYTES || isTooLong(bytes)) return undefined;
  const length = 4 + bytes.readUInt32BE(0);
  if (bytes.length < length) return undefined;
  const padding = bytes[4] ?? 0;
  return { length, payload: bytes.subarray(HEADER_BYTES, Math.max(HEADER_BYTES, length - padding)) };
}

/** The first string of a message after its number. Empty when there is none. */
function firstString(payload: Buffer): Buffer {
  if (payload.length < 5) return Buffer.alloc(0);
  const length = payload.readUInt32BE(1);
  return length > payload.length - 5 ? Buffer.alloc(0) : payload.subarray(5, 5 + length);
}
