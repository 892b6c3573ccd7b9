/**
 * The mark of a connection: a random value in the environment of all that runs for it, by which its processes
 * are found where there is no control group, also after setsid(2).
 *
 * Only the processes of the same user, and root, can read it; it is in no log, no event and no list. It
 * carries a tag by a key of this process, so that nobody can make one up and pass for somebody else's
 * process.
 *
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Name of the variable. A client cannot set it: see `environment.ts`. */
export const CONNECTION_MARK = "QF_CONNECTION_MARK";

const NONCE_BYTES = 16;
const TAG_BYTES = 16;
const key = randomBytes(32);

/** A mark that no other connection has or had. */
export function newConnectionMark(): string {
  const nonce = randomBytes(NONCE_BYTES);
  return Buffer.concat([nonce, tagOf(nonce)]).toString("hex");
}

/** Whether `text` is a mark that this process has made. */
export function isConnectionMark(text: string): boolean {
  const bytes = Buffer.from(text, "hex");
  if (bytes.length !== NONCE_BYTES + TAG_BYTES || text.length !== 2 * bytes.length) return false;
  return timingSafeEqual(bytes.subarray(NONCE_BYTES), tagOf(bytes.subarray(0, NONCE_BYTES)));
}

function tagOf(nonce: Buffer): Buffer {
  return createHmac("sha256", key).update(nonce).digest().subarray(0, TAG_BYTES);
}
