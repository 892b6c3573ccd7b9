/**
 * The cipher of bulk transfers: AES-GCM, even for clients that prefer another.
 *
 * ssh(1) names chacha20-poly1305 first, then AES-CTR with a MAC of its own, and AES-GCM last, although
 * AES-GCM is the fastest of them on nearly every processor. A server cannot change that order. It could offer
 * less, but a client configured for another cipher would then fail to connect, and waiting for the client's
 * list before sending ours would cost a round trip. So the first exchange follows the client's preference.
 * Once a connection has moved a few megabytes, we rekey and offer only AES-GCM, if the client's list contains
 * it.
 *
 * @module
 */
import { SshReader } from "../base/ssh-buffer.ts";
import type { KexInitOffer, PatchedProtocol } from "./patched-ssh2.ts";
import { KEXINIT_BYTES_MAX } from "./wire-limits.ts";

/** Bytes in both directions after which a rekey pays off; it takes about as long as transferring 4 MB. */
export const BULK_BYTES = 8 * 1024 * 1024;

/** Clients that rekey correctly in the middle of a transfer, whichever side asks. */
const CLIENTS = /^SSH-2\.0-OpenSSH_(?:for_Windows_)?\d/;
const COOKIE_BYTES = 16;
const FAST = /^aes(?:128|256)-gcm@openssh\.com$/;

/** A server's offer, and the same with AES-GCM alone. */
const narrowed = new WeakMap<KexInitOffer, KexInitOffer>();

/**
 * What to offer at the next exchange to a client whose first KEXINIT is `kexInit`. Null when its first
 * exchange already selects AES-GCM, or it does not support it. Throws an `SshBufferError` for an invalid
 * KEXINIT.
 */
export function fasterOffer(
  protocol: Pick<PatchedProtocol, "_offer" | "_remoteIdentRaw">,
  kexInit: Uint8Array,
): KexInitOffer | null {
  if (!CLIENTS.test(protocol._remoteIdentRaw?.toString("latin1") ?? "")) return null;
  const { cs, sc } = ciphersOf(kexInit);
  const { lists } = protocol._offer;
  const isFast = (theirs: readonly string[], ours: readonly string[]): boolean =>
    FAST.test(theirs.find((name) => ours.includes(name)) ?? "");
  if (isFast(cs, lists.cs.cipher.array) && isFast(sc, lists.sc.cipher.array)) return null;
  const offer = narrow(protocol._offer);
  const has = (theirs: readonly string[]): boolean =>
    theirs.some((name) => offer.lists.cs.cipher.array.includes(name));
  return has(cs) && has(sc) ? offer : null;
}

/** Ciphers from the client and to it, in its order. */
function ciphersOf(kexInit: Uint8Array): { cs: string[]; sc: string[] } {
  const reader = new SshReader(kexInit);
  reader.raw(1 + COOKIE_BYTES);
  const names = (): string[] => reader.text(KEXINIT_BYTES_MAX).split(",");
  // Key exchanges and host keys come first.
  for (const _ of ["kex", "host key"]) names();
  return { cs: names(), sc: names() };
}

function narrow(offer: KexInitOffer): KexInitOffer {
  const before = narrowed.get(offer);
  if (before !== undefined) return before;
  const { kex, serverHostKey, cs, sc } = offer.lists;
  const fast = (side: KexInitOffer["lists"]["cs"]) => ({
    cipher: side.cipher.array.filter((name) => FAST.test(name)),
    mac: side.mac.array,
    compress: side.compress.array,
    lang: side.lang.array,
  });
  const KexInit = offer.constructor as new (lists: object) => KexInitOffer;
  const made = new KexInit({
    kex: kex.array,
    serverHostKey: serverHostKey.array,
    cs: fast(cs),
    sc: fast(sc),
  });
  narrowed.set(offer, made);
  return made;
}
