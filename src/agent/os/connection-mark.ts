/**
 * The mark of a connection: a random value in the environment of everything that runs for it. Without a
 * control group it identifies these processes, even after setsid(2).
 *
 * Only root and processes of the same user can read it, and it appears in no log, event or list. It carries a
 * tag made with a key of this process, so that nobody can forge one and pass for another's process.
 *
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Name of the variable. Clients cannot set it: see `environment.ts`. */
export const CONNECTION_MARK = "QF_CONNECTION_MARK";

const NONCE_BYTES = 16;
const TAG_BYTES = 16;
const key = randomBytes(32);

/** A unique new mark. */
export function newConnectionMark(): string {
  const nonce = randomBytes(NONCE_BYTES);
  return Buffer.concat([nonce, tagOf(nonce)]).toString("hex");
}

/** Whether this process made the mark `text`. */
export function isConnectionMark(text: string): boolean {
  const bytes = Buffer.from(text, "hex");
  if (bytes.length !== NONCE_BYTES + TAG_BYTES || text.length !== 2 * bytes.length) return false;
  return timingSafeEqual(bytes.subarray(NONCE_BYTES), tagOf(bytes.subarray(0, NONCE_BYTES)));
}

function tagOf(nonce: Buffer): Buffer {
  return createHmac("sha256", key).update(nonce).digest().subarray(0, TAG_BYTES);
}
