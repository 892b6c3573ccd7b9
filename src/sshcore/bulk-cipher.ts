/**
 * The cipher of a connection that moves much: AES-GCM, also for clients that prefer another.
 *
 * ssh(1) names chacha20-poly1305 first, then AES-CTR with a MAC of its own, and AES-GCM last, although
 * AES-GCM is the fastest of them on nearly every processor. A server cannot change the order. It can offer
 * less, but a client that was told to use another cipher would then not connect at all, and to wait for the
 * client's list before sending ours would cost a round trip. So the first exchange is as the client wants
 * it. Once a connection has moved a few megabytes, keys are exchanged anew, and that time only AES-GCM is
 * offered, if the client's own list has it.
 *
 * @module
 */
import { SshReader } from "../base/ssh-buffer.ts";
import type { KexInitOffer, PatchedProtocol } from "./patched-ssh2.ts";
import { KEXINIT_BYTES_MAX } from "./wire-limits.ts";

/** Bytes of both directions after which it is worth an exchange, which takes about as long as 4 MB do. */
export const BULK_BYTES = 8 * 1024 * 1024;

/** Clients that exchange keys anew in the middle of a transfer without fault, whoever asks. */
const CLIENTS = /^SSH-2\.0-OpenSSH_(?:for_Windows_)?\d/;
const COOKIE_BYTES = 16;
const FAST = /^aes(?:128|256)-gcm@openssh\.com$/;

/** What we offer to clients of one server, and the same with AES-GCM alone. */
const narrowed = new WeakMap<KexInitOffer, KexInitOffer>();

/**
 * What to offer at the next exchange to a client whose first KEXINIT is `kexInit`. Null: its first exchange
 * leads to AES-GCM already, or it has none. Throws an `SshBufferError` for what is no KEXINIT.
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

/** From the client, and to it, in its order. */
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
