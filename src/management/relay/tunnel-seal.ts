/**
 * Messages of one tunnel, sealed with AES-256-GCM: a key for each direction, and a counter as nonce. A
 * message that was changed, dropped, replayed or reordered does not open.
 *
 * @module
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { RELAY_SEAL_BYTES } from "../../wire/relay-tunnel.ts";

export interface Seal {
  seal(frame: Uint8Array): Buffer;
  /** Null: it is not the other end's next message, and the tunnel must end. */
  open(message: Uint8Array): Buffer | null;
}

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;

/** Keys of 32 bytes, each used for one tunnel only. */
export function createSeal(sendKey: Uint8Array, receiveKey: Uint8Array): Seal {
  const sendNonce = Buffer.alloc(NONCE_BYTES);
  const receiveNonce = Buffer.alloc(NONCE_BYTES);
  return {
    seal(frame) {
      advance(sendNonce);
      const cipher = createCipheriv(ALGORITHM, sendKey, sendNonce);
      const text = cipher.update(frame);
      return Buffer.concat([text, cipher.final(), cipher.getAuthTag()]);
    },
    open(message) {
      const length = message.length - RELAY_SEAL_BYTES;
      if (length < 0) return null;
      advance(receiveNonce);
      const decipher = createDecipheriv(ALGORITHM, receiveKey, receiveNonce, {
        authTagLength: RELAY_SEAL_BYTES,
      });
      decipher.setAuthTag(message.subarray(length));
      try {
        const text = decipher.update(message.subarray(0, length));
        decipher.final();
        return text;
      } catch {
        return null;
      }
    },
  };
}

/** No tunnel carries 2^48 messages, so the upper bytes stay zero. */
function advance(nonce: Buffer): void {
  nonce.writeUIntBE(nonce.readUIntBE(NONCE_BYTES - 6, 6) + 1, NONCE_BYTES - 6, 6);
}
