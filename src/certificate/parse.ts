/**
 * Strict certificate parser: every field bounded, only one encoding, no trailing bytes.
 *
 * It deliberately accepts less than OpenSSH: Ed25519 throughout, user certificates only, exactly our critical
 * option, at least one principal, at most our own lifetime, and options in the order that PROTOCOL.certkeys
 * requires, which also makes them unique.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { SshBufferError, SshReader } from "../base/ssh-buffer.ts";
import { parseStrictJsonObject } from "../base/strict-json.ts";
import {
  CERTIFICATE_BACKDATE_SECONDS,
  CERTIFICATE_BYTES_MAX,
  CERTIFICATE_KEY_TYPE,
  CERTIFICATE_LIFETIME_SECONDS,
  CertificateIdentity,
  EXTENSION_DEVICE,
  EXTENSION_ID_TOKEN,
  EXTENSION_IDENTITY,
  ID_TOKEN_BYTES_MAX,
  OPTION_PEER,
  PRINCIPALS_MAX,
} from "../wire/certificate.ts";
import { CompactJws } from "../wire/client-api.ts";
import {
  type Ed25519PublicKey,
  Ed25519Signature,
  EpochSeconds,
  LOCAL_USER_BYTES_MAX,
  LocalUser,
  PeerId,
} from "../wire/units.ts";
import {
  ANY_PRINCIPAL,
  CERTIFICATE_TYPE_USER,
  type Certificate,
  KEY_ID_BYTES_MAX,
  NONCE_BYTES,
  PLAIN_KEY_TYPE,
} from "./certificate.ts";

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const PRINCIPALS_BYTES_MAX = PRINCIPALS_MAX * (4 + LOCAL_USER_BYTES_MAX);
/** More options or extensions than this are refused; ssh-keygen itself adds five. */
const OPTIONS_MAX = 32;
const OPTION_NAME_BYTES_MAX = 128;
const NONCE_BYTES_MIN = 16;
const LIFETIME_SECONDS_MAX = CERTIFICATE_BACKDATE_SECONDS + CERTIFICATE_LIFETIME_SECONDS;

/** The certificate in `blob`, unverified. Throws ERR_CERTIFICATE_INVALID for anything malformed. */
export function parseCertificate(blob: Uint8Array): Certificate {
  try {
    if (blob.length > CERTIFICATE_BYTES_MAX) refuse("it is too long");
    return readCertificate(new SshReader(blob), blob);
  } catch (cause) {
    if (!(cause instanceof SshBufferError)) throw cause;
    throw new QfError("ERR_CERTIFICATE_INVALID", "the certificate is malformed", { cause });
  }
}

/** Fields in the order of PROTOCOL.certkeys, "ED25519 certificate". */
function readCertificate(reader: SshReader, blob: Uint8Array): Certificate {
  if (reader.text(64) !== CERTIFICATE_KEY_TYPE) refuse("its key type is not taken");
  if (reader.string(2 * NONCE_BYTES).length < NONCE_BYTES_MIN) refuse("its nonce is too short");
  const loginKey = readKeyBytes(reader);
  const serial = reader.uint64();
  if (reader.uint32() !== CERTIFICATE_TYPE_USER) refuse("it is not a user certificate");
  const keyId = reader.text(KEY_ID_BYTES_MAX);
  const principals = readPrincipals(reader.string(PRINCIPALS_BYTES_MAX));
  const validAfterSeconds = readTime(reader);
  const validBeforeSeconds = readTime(reader);
  const lifetimeSeconds = validBeforeSeconds - validAfterSeconds;
  if (lifetimeSeconds <= 0) refuse("it is never valid");
  if (lifetimeSeconds > LIFETIME_SECONDS_MAX) refuse("it is valid for too long");
  const targetPeerId = readCriticalOptions(reader.string(1024));
  const extensions = readExtensions(reader.string(CERTIFICATE_BYTES_MAX));
  if (reader.string(CERTIFICATE_BYTES_MAX).length !== 0) refuse("its reserved field is not empty");
  const caKey = readPlainKey(reader.string(CERTIFICATE_BYTES_MAX));
  const signedBytes = blob.subarray(0, reader.position);
  const signature = readSignature(reader.string(CERTIFICATE_BYTES_MAX));
  reader.end();
  return {
    serial,
    keyId,
    loginKey,
    principals,
    validAfterSeconds,
    validBeforeSeconds,
    targetPeerId,
    ...extensions,
    caKey,
    signedBytes,
    signature,
  };
}

function readKeyBytes(reader: SshReader): Ed25519PublicKey {
  const bytes = reader.string(KEY_BYTES);
  if (bytes.length !== KEY_BYTES) refuse("a key in it has the wrong length");
  return bytes.toString("base64url");
}

function readTime(reader: SshReader): number {
  const seconds = EpochSeconds.safeParse(Number(reader.uint64()));
  return seconds.success ? seconds.data : refuse("it is valid for ever");
}

/** OpenSSH treats an empty list as "anyone", so it is refused here. */
function readPrincipals(bytes: Uint8Array): string[] {
  const reader = new SshReader(bytes);
  const principals = new Set<string>();
  let count = 0;
  while (!reader.isAtEnd) {
    const name = reader.text(LOCAL_USER_BYTES_MAX);
    if (++count > PRINCIPALS_MAX) refuse("it names too many OS users");
    if (name !== ANY_PRINCIPAL && !LocalUser.safeParse(name).success) refuse("it names no OS user");
    principals.add(name);
  }
  if (count === 0) refuse("it names nobody");
  if (principals.size !== count) refuse("it names an OS user twice");
  if (principals.has(ANY_PRINCIPAL) && count > 1) refuse("it names any OS user and others");
  return [...principals];
}

/** Name and data of each entry. Strict ascending byte order excludes duplicate names. */
function* readOptions(bytes: Uint8Array): Generator<[name: string, data: Uint8Array]> {
  const reader = new SshReader(bytes);
  let previous: Buffer | undefined;
  for (let count = 0; !reader.isAtEnd; count++) {
    if (count === OPTIONS_MAX) refuse("it has too many options");
    const name = reader.text(OPTION_NAME_BYTES_MAX);
    const nameBytes = Buffer.from(name, "utf8");
    if (previous !== undefined && Buffer.compare(previous, nameBytes) >= 0) {
      refuse("its options are not unique and in order");
    }
    previous = nameBytes;
    yield [name, reader.string(CERTIFICATE_BYTES_MAX)];
  }
}

/** Our option data is one SSH string, as ssh-keygen writes `name=value`. */
function readOptionText(data: Uint8Array, lengthMax: number): string {
  const reader = new SshReader(data);
  const text = reader.text(lengthMax);
  reader.end();
  return text;
}

function readCriticalOptions(bytes: Uint8Array): PeerId {
  let peerId: PeerId | undefined;
  for (const [name, data] of readOptions(bytes)) {
    if (name !== OPTION_PEER) refuse("it has a critical option that is not known");
    const value = PeerId.safeParse(readOptionText(data, 64));
    peerId = value.success ? value.data : refuse("its peer is not a peer id");
  }
  return peerId ?? refuse("it does not name the peer it is for");
}

/** Unknown extensions grant nothing and are ignored, as in OpenSSH. */
function readExtensions(bytes: Uint8Array): Pick<Certificate, "identity" | "idToken" | "deviceSignature"> {
  let identity: CertificateIdentity | undefined;
  let idToken: string | null = null;
  let deviceSignature: string | null = null;
  for (const [name, data] of readOptions(bytes)) {
    if (name === EXTENSION_IDENTITY) {
      const parsed = CertificateIdentity.safeParse(parseStrictJsonObject(readOptionText(data, 8192)));
      identity = parsed.success ? parsed.data : refuse("its identity is malformed");
    } else if (name === EXTENSION_ID_TOKEN) {
      const parsed = CompactJws.safeParse(readOptionText(data, ID_TOKEN_BYTES_MAX));
      idToken = parsed.success ? parsed.data : refuse("its token is malformed");
    } else if (name === EXTENSION_DEVICE) {
      const parsed = Ed25519Signature.safeParse(readOptionText(data, 128));
      deviceSignature = parsed.success ? parsed.data : refuse("its device signature is malformed");
    }
  }
  return { identity: identity ?? refuse("it does not say who it is for"), idToken, deviceSignature };
}

/** Refuses a certificate as signing key, which has another type. */
function readPlainKey(blob: Uint8Array): Ed25519PublicKey {
  const reader = new SshReader(blob);
  if (reader.text(64) !== PLAIN_KEY_TYPE) refuse("its signing key is not a plain Ed25519 key");
  const key = readKeyBytes(reader);
  reader.end();
  return key;
}

function readSignature(blob: Uint8Array): Uint8Array {
  const reader = new SshReader(blob);
  if (reader.text(64) !== PLAIN_KEY_TYPE) refuse("its signature is not an Ed25519 signature");
  const signature = reader.string(SIGNATURE_BYTES);
  if (signature.length !== SIGNATURE_BYTES) refuse("its signature is not an Ed25519 signature");
  reader.end();
  return signature;
}

function refuse(why: string): never {
  throw new QfError("ERR_CERTIFICATE_INVALID", `the certificate is not taken: ${why}`);
}
