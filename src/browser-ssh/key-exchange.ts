/**
 * Key exchange: X25519 (RFC 8731), alone or with ML-KEM-768 (draft-ietf-sshm-mlkem-hybrid-kex); verification
 * of the machine's signature; and the keys of both directions (RFC 4253 section 7.2).
 *
 * @module
 */
import { SSH } from "../sshcore/permitted.ts";
import { ByteReader, type Bytes, ByteWriter, concat, isEqual, utf8 } from "./bytes.ts";
import { SshFailure } from "./failure.ts";
import { HYBRID, type KexMethod } from "./kex-offer.ts";
import { gcmCodec, type PacketCodec } from "./packet-cipher.ts";

const POINT_BYTES = 32;
const CIPHERTEXT_BYTES = 1_088;
const FIELD_BYTES_MAX = 4_096;
const IV_BYTES = 12;
const HOST_KEY = "ssh-ed25519";

/** ML-KEM in WebCrypto, which TypeScript's types do not have yet. */
interface Kem {
  decapsulateBits(algorithm: object, key: CryptoKey, ciphertext: Bytes): Promise<ArrayBuffer>;
}
const ML_KEM = { name: "ML-KEM-768" };

/** What both ends have seen, for the exchange hash that the machine signs. */
export interface Seen {
  readonly clientIdent: string;
  readonly serverIdent: string;
  readonly clientKexInit: Bytes;
  readonly serverKexInit: Bytes;
}

export interface Ephemeral {
  /** SSH_MSG_KEX_ECDH_INIT. */
  readonly message: Bytes;
  readonly method: KexMethod;
  readonly publicPart: Bytes;
  /** Computes the shared secret, encoded as the method hashes it. */
  shared(serverPart: Bytes): Promise<Bytes>;
}

export interface NewKeys {
  readonly sessionId: Bytes;
  readonly toServer: PacketCodec;
  readonly toClient: PacketCodec;
}

let mlKem: Promise<boolean> | undefined;

/** Whether this browser has ML-KEM. */
export function hasMlKem(): Promise<boolean> {
  mlKem ??= crypto.subtle.generateKey(ML_KEM, false, ["decapsulateBits"] as object as KeyUsage[]).then(
    () => true,
    () => false,
  );
  return mlKem;
}

export async function newEphemeral(method: KexMethod): Promise<Ephemeral> {
  const pair = (await crypto.subtle.generateKey("X25519", false, ["deriveBits"])) as CryptoKeyPair;
  const point = await exported(pair.publicKey, "raw");
  if (method !== HYBRID) {
    return {
      ...{ message: initMessage(point), method, publicPart: point },
      shared: async (theirs) => new ByteWriter().mpint(await curveSecret(pair.privateKey, theirs)).done(),
    };
  }
  const kem = (await crypto.subtle.generateKey(ML_KEM, false, [
    "decapsulateBits",
  ] as object as KeyUsage[])) as CryptoKeyPair;
  const publicPart = concat(await exported(kem.publicKey, "raw-public"), point);
  return {
    ...{ message: initMessage(publicPart), method, publicPart },
    async shared(theirs) {
      if (theirs.length !== CIPHERTEXT_BYTES + POINT_BYTES) throw wrongHalf();
      const subtle = crypto.subtle as object as Kem;
      const ciphertext = theirs.slice(0, CIPHERTEXT_BYTES);
      const quantum = new Uint8Array(await subtle.decapsulateBits(ML_KEM, kem.privateKey, ciphertext));
      const classic = await curveSecret(pair.privateKey, theirs.slice(CIPHERTEXT_BYTES));
      return new ByteWriter().string(await sha256(concat(quantum, classic))).done();
    },
  };
}

/**
 * Finishes with SSH_MSG_KEX_ECDH_REPLY. Throws `host_key` for a key not in `hostKeys`, before computing
 * anything with it.
 */
export async function finishExchange(
  reply: Bytes,
  given: {
    readonly ephemeral: Ephemeral;
    readonly seen: Seen;
    readonly hostKeys: readonly Bytes[];
    readonly sessionId: Bytes | null;
  },
): Promise<NewKeys> {
  const { ephemeral, seen, hostKeys } = given;
  const reader = new ByteReader(reply.subarray(1));
  const hostKey = reader.string(FIELD_BYTES_MAX);
  const theirs = reader.string(FIELD_BYTES_MAX);
  const signature = reader.string(FIELD_BYTES_MAX);
  if (reader.left > 0) throw new SshFailure("protocol", "a reply of another form");
  if (!hostKeys.some((known) => isEqual(known, hostKey))) {
    throw new SshFailure("host_key", "the machine shows another host key than management named");
  }
  const secret = await ephemeral.shared(theirs);
  const hash = await sha256(
    new ByteWriter()
      .text(seen.clientIdent)
      .text(seen.serverIdent)
      .string(seen.clientKexInit)
      .string(seen.serverKexInit)
      .string(hostKey)
      .string(ephemeral.publicPart)
      .string(theirs)
      .raw(secret)
      .done(),
  );
  if (!(await isSigned(hostKey, signature, hash))) {
    throw new SshFailure("host_key", "the machine could not prove that it has its host key");
  }
  const sessionId = given.sessionId ?? hash;
  const derive = (letter: string) => sha256(concat(secret, hash, utf8(letter), sessionId));
  const [ivOut, ivIn, keyOut, keyIn] = await Promise.all(["A", "B", "C", "D"].map(derive));
  if (ivOut === undefined || ivIn === undefined || keyOut === undefined || keyIn === undefined) {
    throw new SshFailure("protocol", "no keys came of the exchange");
  }
  const [toServer, toClient] = await Promise.all([
    gcmCodec(keyOut, ivOut.slice(0, IV_BYTES)),
    gcmCodec(keyIn, ivIn.slice(0, IV_BYTES)),
  ]);
  return { sessionId, toServer, toClient };
}

/** Encodes an Ed25519 public key as an SSH blob. */
export function ed25519Blob(publicKey: Uint8Array): Bytes {
  return new ByteWriter().text(HOST_KEY).string(publicKey).done();
}

async function isSigned(hostKey: Bytes, signature: Bytes, hash: Bytes): Promise<boolean> {
  const key = ed25519Field(hostKey, POINT_BYTES);
  const bytes = ed25519Field(signature, 2 * POINT_BYTES);
  if (key === null || bytes === null) return false;
  const publicKey = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", publicKey, bytes, hash);
}

function ed25519Field(blob: Bytes, length: number): Bytes | null {
  const reader = new ByteReader(blob);
  const isType = reader.text(FIELD_BYTES_MAX) === HOST_KEY;
  const field = reader.string(FIELD_BYTES_MAX);
  return isType && field.length === length && reader.left === 0 ? field : null;
}

async function curveSecret(privateKey: CryptoKey, theirs: Bytes): Promise<Bytes> {
  if (theirs.length !== POINT_BYTES) throw wrongHalf();
  const point = await crypto.subtle.importKey("raw", theirs, "X25519", true, []);
  const params = { name: "X25519", public: point };
  const secret = new Uint8Array(await crypto.subtle.deriveBits(params, privateKey, 8 * POINT_BYTES));
  // RFC 8731 section 3: a point of small order yields all zeros.
  if (secret.every((byte) => byte === 0)) throw wrongHalf();
  return secret;
}

function initMessage(publicPart: Bytes): Bytes {
  return new ByteWriter().uint8(SSH.KEX_ECDH_INIT).string(publicPart).done();
}

async function exported(key: CryptoKey, format: string): Promise<Bytes> {
  return new Uint8Array((await crypto.subtle.exportKey(format as "raw", key)) as ArrayBuffer);
}

async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function wrongHalf(): SshFailure {
  return new SshFailure("protocol", "the machine's half of the key exchange cannot be");
}
