/**
 * Chunks of encrypted recordings. Each is a separate age file, since an age stream holds back 64 kB.
 *
 * @module
 */
import { Decrypter, Encrypter } from "age-encryption";
import { QfError } from "../base/errors.ts";

/** Encrypts for `recipients`, each of which can decrypt alone. Throws for an invalid recipient. */
export function createChunkEncrypter(
  recipients: readonly string[],
): (text: Uint8Array) => Promise<Uint8Array> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return (text) => encrypter.encrypt(text);
}

/** Decrypts chunks with identities as age-keygen(1) writes them. Throws ERR_USAGE when there is none. */
export function createChunkDecrypter(identityFile: string): (packed: Uint8Array) => Promise<Uint8Array> {
  const decrypter = new Decrypter();
  const identities = identityFile
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (identities.length === 0) throw new QfError("ERR_USAGE", "the identity file has no identity");
  try {
    for (const identity of identities) decrypter.addIdentity(identity);
  } catch (cause) {
    throw new QfError("ERR_USAGE", "the identity file has a line that is no age identity", { cause });
  }
  return async (packed) => {
    try {
      return await decrypter.decrypt(packed);
    } catch (cause) {
      throw new QfError("ERR_FORBIDDEN", "no identity of the file opens this recording", {
        hint: "give the identity of one of its recipients with --identity FILE",
        cause,
      });
    }
  };
}
