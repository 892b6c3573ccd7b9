/**
 * The greeting of a SOCKS client: version 4, 4a and 5 (RFC 1928), CONNECT only, without a password, as ssh(1)
 * accepts it. Pure: takes bytes, returns the answer and destination.
 *
 * @module
 */
import type { Endpoint } from "./forward-spec.ts";

export type SocksStep =
  /** More bytes are needed; `answer` is sent now, and may be empty. */
  | { readonly kind: "more"; readonly answer: Buffer; readonly used: number }
  | {
      readonly kind: "connect";
      readonly target: Extract<Endpoint, { kind: "tcp" }>;
      readonly used: number;
      /** Sent once the stream is open or has failed. */
      readonly granted: Buffer;
      readonly refused: Buffer;
    }
  /** Unsupported; `answer` says so if the protocol allows it. */
  | { readonly kind: "bad"; readonly answer: Buffer };

/** Longest greeting. */
export const SOCKS_BYTES_MAX = 1024;
const NOTHING = Buffer.alloc(0);
const NO_PASSWORD = 0;
const CONNECT = 1;
const V4_GRANTED = Buffer.from([0, 90, 0, 0, 0, 0, 0, 0]);
const V4_REFUSED = Buffer.from([0, 91, 0, 0, 0, 0, 0, 0]);
/** RFC 1928 section 6. */
const V5_REFUSED = 5;
const V5_COMMAND_UNKNOWN = 7;
const V5_ADDRESS_UNKNOWN = 8;

/** A reader of one greeting. Pass it all unconsumed bytes. Version 5 takes two steps. */
export function createSocksReader(): (bytes: Buffer) => SocksStep {
  let isGreeted = false;
  return (bytes) => {
    const version = bytes[0];
    if (version === undefined) return more(NOTHING, 0);
    if (bytes.length > SOCKS_BYTES_MAX) return bad(NOTHING);
    if (version === 4 && !isGreeted) return readVersion4(bytes);
    if (version !== 5) return bad(NOTHING);
    if (isGreeted) return readVersion5(bytes);
    const length = 2 + (bytes[1] ?? 255);
    if (bytes.length < length) return more(NOTHING, 0);
    if (!bytes.subarray(2, length).includes(NO_PASSWORD)) return bad(Buffer.from([5, 0xff]));
    isGreeted = true;
    return more(Buffer.from([5, NO_PASSWORD]), length);
  };
}

function readVersion4(bytes: Buffer): SocksStep {
  const userEnd = bytes.indexOf(0, 8);
  if (bytes.length < 9 || userEnd === -1) return more(NOTHING, 0);
  if (bytes[1] !== CONNECT) return bad(V4_REFUSED);
  const port = bytes.readUInt16BE(2);
  const found = { granted: V4_GRANTED, refused: V4_REFUSED };
  // 4a: the impossible address 0.0.0.x means that a name follows.
  const isNamed = bytes.readUInt32BE(4) < 256 && bytes[7] !== 0;
  if (!isNamed) {
    return connect({ host: [...bytes.subarray(4, 8)].join("."), port }, userEnd + 1, found);
  }
  const nameEnd = bytes.indexOf(0, userEnd + 1);
  if (nameEnd === -1) return more(NOTHING, 0);
  return connect({ host: bytes.toString("utf8", userEnd + 1, nameEnd), port }, nameEnd + 1, found);
}

function readVersion5(bytes: Buffer): SocksStep {
  if (bytes.length < 5) return more(NOTHING, 0);
  const [, command, , type, first = 0] = bytes;
  const length = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? 1 + first : -1;
  if (command !== CONNECT) return bad(version5Answer(V5_COMMAND_UNKNOWN));
  if (length === -1) return bad(version5Answer(V5_ADDRESS_UNKNOWN));
  const end = 4 + length;
  if (bytes.length < end + 2) return more(NOTHING, 0);
  const address = bytes.subarray(4, end);
  const found = { granted: version5Answer(0), refused: version5Answer(V5_REFUSED) };
  return connect({ host: hostOf(type, address), port: bytes.readUInt16BE(end) }, end + 2, found);
}

function hostOf(type: number | undefined, address: Buffer): string {
  if (type === 1) return [...address].join(".");
  if (type === 3) return address.toString("utf8", 1);
  const words = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2).toString(16));
  return words.join(":");
}

function version5Answer(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

function connect(
  { host, port }: { host: string; port: number },
  used: number,
  answers: { granted: Buffer; refused: Buffer },
): SocksStep {
  if (host === "" || host.includes("\0") || port === 0) return bad(answers.refused);
  return { kind: "connect", target: { kind: "tcp", host, port }, used, ...answers };
}

function more(answer: Buffer, used: number): SocksStep {
  return { kind: "more", answer, used };
}

function bad(answer: Buffer): SocksStep {
  return { kind: "bad", answer };
}
