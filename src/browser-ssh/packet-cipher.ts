/**
 * SSH's binary packets (RFC 4253 section 6), in the clear and under aes256-gcm@openssh.com (RFC 5647, OpenSSH
 * PROTOCOL section 1.6), with WebCrypto.
 *
 * GCM leaves the length in the clear, so packets can be delimited before they are opened, and several are
 * sealed or opened at once. The caller keeps them in order.
 *
 * @module
 */
import { type Bytes, concat } from "./bytes.ts";
import { SshFailure } from "./failure.ts";

export const LENGTH_BYTES = 4;
/** Largest packet accepted: as in OpenSSH, and more than our channels allow. */
export const PACKET_BYTES_MAX = 256 * 1024;
const TAG_BYTES = 16;
const BLOCK_BYTES = 16;
const PLAIN_BLOCK_BYTES = 8;
const PADDING_BYTES_MIN = 4;
const COUNTER_AT = 4;

export interface PacketCodec {
  /** Size of a whole packet whose length field is `length`. Throws for an invalid length. */
  sizeOf(length: number): number;
  open(packet: Bytes): Promise<Bytes>;
  seal(payload: Bytes): Promise<Bytes>;
}

/** Packets before the first keys. */
export const PLAIN: PacketCodec = {
  sizeOf(length) {
    checkLength(length, (LENGTH_BYTES + length) % PLAIN_BLOCK_BYTES === 0);
    return LENGTH_BYTES + length;
  },
  open: async (packet) => unpadded(packet.subarray(LENGTH_BYTES)),
  seal: async (payload) => {
    const padding = paddingFor(LENGTH_BYTES + 1 + payload.length, PLAIN_BLOCK_BYTES);
    return concat(lengthOf(1 + payload.length + padding), padded(payload, padding));
  },
};

/** Creates the codec of one direction under its key. */
export async function gcmCodec(rawKey: Bytes, iv: Bytes): Promise<PacketCodec> {
  const key = await crypto.subtle.importKey("raw", rawKey, "AES-GCM", false, ["encrypt", "decrypt"]);
  const nonce = counterOf(iv);
  return {
    sizeOf(length) {
      checkLength(length, length % BLOCK_BYTES === 0);
      return LENGTH_BYTES + length + TAG_BYTES;
    },
    async open(packet) {
      const additionalData = packet.subarray(0, LENGTH_BYTES);
      const params = { name: "AES-GCM", iv: nonce(), additionalData };
      const plain = await crypto.subtle.decrypt(params, key, packet.subarray(LENGTH_BYTES)).catch((cause) => {
        throw new SshFailure("protocol", "a packet was changed on its way", { cause });
      });
      return unpadded(new Uint8Array(plain));
    },
    async seal(payload) {
      const padding = paddingFor(1 + payload.length, BLOCK_BYTES);
      const additionalData = lengthOf(1 + payload.length + padding);
      const params = { name: "AES-GCM", iv: nonce(), additionalData };
      const sealed = await crypto.subtle.encrypt(params, key, padded(payload, padding));
      return concat(additionalData, new Uint8Array(sealed));
    },
  };
}

/** Returns the next nonce at each call: four fixed bytes and a counter of eight. */
function counterOf(iv: Bytes): () => Bytes {
  const view = new DataView(iv.buffer, iv.byteOffset, iv.byteLength);
  let counter = view.getBigUint64(COUNTER_AT);
  return () => {
    const nonce = iv.slice();
    new DataView(nonce.buffer).setBigUint64(COUNTER_AT, counter);
    counter = (counter + 1n) & 0xffff_ffff_ffff_ffffn;
    return nonce;
  };
}

function checkLength(length: number, isAligned: boolean): void {
  if (length >= 1 + PADDING_BYTES_MIN && length <= PACKET_BYTES_MAX && isAligned) return;
  throw new SshFailure("protocol", "a packet has a length that cannot be");
}

function paddingFor(length: number, block: number): number {
  const rest = block - (length % block);
  return rest < PADDING_BYTES_MIN ? rest + block : rest;
}

function padded(payload: Bytes, padding: number): Bytes {
  const out = new Uint8Array(1 + payload.length + padding);
  out[0] = padding;
  out.set(payload, 1);
  crypto.getRandomValues(out.subarray(1 + payload.length));
  return out;
}

function unpadded(plain: Bytes): Bytes {
  const padding = plain[0] ?? 0;
  const end = plain.length - padding;
  if (padding < PADDING_BYTES_MIN || end < 2) throw new SshFailure("protocol", "a packet is padded wrongly");
  return plain.subarray(1, end);
}

function lengthOf(length: number): Bytes {
  const bytes = new Uint8Array(LENGTH_BYTES);
  new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
}
