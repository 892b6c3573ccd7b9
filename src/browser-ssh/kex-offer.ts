/**
 * SSH_MSG_KEXINIT: the page's offer, and the algorithms that both ends agree on. There is one algorithm of
 * each kind, except for the key exchange. A server without strict key exchange (Terrapin, CVE-2023-48795) is
 * refused.
 *
 * @module
 */
import { SSH } from "../sshcore/permitted.ts";
import { ByteReader, type Bytes, ByteWriter } from "./bytes.ts";
import { SshFailure } from "./failure.ts";

export const HYBRID = "mlkem768x25519-sha256";
export const CURVE = "curve25519-sha256";
const CURVE_OLD_NAME = "curve25519-sha256@libssh.org";
const HOST_KEY = "ssh-ed25519";
const CIPHER = "aes256-gcm@openssh.com";
/** Unused with GCM, but servers require a common name anyway. */
const MAC = "hmac-sha2-256-etm@openssh.com";
const STRICT_CLIENT = "kex-strict-c-v00@openssh.com";
const STRICT_SERVER = "kex-strict-s-v00@openssh.com";
const COOKIE_BYTES = 16;
const LIST_BYTES_MAX = 4_096;
/** Name lists of KEXINIT: exchange, host key, and two each of cipher, MAC, compression, language. */
const LISTS = 10;

export type KexMethod = typeof HYBRID | typeof CURVE;

export function kexInit(isFirst: boolean, hasMlKem: boolean): Bytes {
  const kex = [...(hasMlKem ? [HYBRID] : []), CURVE, CURVE_OLD_NAME];
  const markers = isFirst ? ["ext-info-c", STRICT_CLIENT] : [];
  const writer = new ByteWriter()
    .uint8(SSH.KEXINIT)
    .raw(crypto.getRandomValues(new Uint8Array(COOKIE_BYTES)))
    .names([...kex, ...markers])
    .names([HOST_KEY]);
  for (const names of [[CIPHER], [CIPHER], [MAC], [MAC], ["none"], ["none"], [], []]) writer.names(names);
  return writer.bool(false).uint32(0).done();
}

/**
 * Picks the key exchange method. Throws if the ends have no algorithms in common, or without strict key
 * exchange.
 */
export function agree(serverKexInit: Bytes, isFirst: boolean, hasMlKem: boolean): KexMethod {
  const reader = new ByteReader(serverKexInit.subarray(1));
  reader.raw(COOKIE_BYTES);
  const lists = Array.from({ length: LISTS }, () => reader.names(LIST_BYTES_MAX));
  const isGuessed = reader.bool();
  reader.uint32();
  if (reader.left > 0 || isGuessed) throw new SshFailure("protocol", "a key exchange of another form");
  const [kex = [], hostKey = [], toServer = [], toClient = [], , , packed = [], unpacked = []] = lists;
  if (isFirst && !kex.includes(STRICT_SERVER)) {
    throw new SshFailure("protocol", "the machine has no strict key exchange");
  }
  const isCommon =
    hostKey.includes(HOST_KEY) &&
    [toServer, toClient].every((names) => names.includes(CIPHER)) &&
    [packed, unpacked].every((names) => names.includes("none"));
  const methods: readonly string[] = [...(hasMlKem ? [HYBRID] : []), CURVE, CURVE_OLD_NAME];
  const method = methods.find((name) => kex.includes(name));
  if (!isCommon || method === undefined) {
    throw new SshFailure("protocol", "this browser and the machine have no algorithm in common");
  }
  return method === HYBRID ? HYBRID : CURVE;
}
