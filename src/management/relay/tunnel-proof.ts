/**
 * Mutual proof of two management processes, and the keys they derive from it.
 *
 * Each end makes an X25519 key for one tunnel. With the cluster's key they sign both of these and the names
 * of both processes. An attacker who replays a request lacks its private key and gets a tunnel on which it
 * can say nothing; one in between can neither read nor change anything. No I/O.
 *
 * @module
 */
import {
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { type Ed25519Key, signEd25519, verifyEd25519 } from "../../base/ed25519.ts";
import { parseJson } from "../../base/files.ts";
import { RelayTunnelAccept, RelayTunnelDial } from "../../wire/relay-tunnel.ts";
import { signedBytes } from "../../wire/signed-fields.ts";
import type { EpochSeconds } from "../../wire/units.ts";
import { createSeal, type Seal } from "./tunnel-seal.ts";

export interface TunnelScope {
  /** Public origin of management. */
  readonly origin: string;
  /** The key that all processes share. */
  readonly key: Ed25519Key;
}

export interface TunnelDialling {
  /** The header's value. */
  readonly header: string;
  /** The seal of this end, from the first message received. Null: it is not from the process we dialled. */
  finish(message: unknown): Seal | null;
}

export function dialTunnel(
  { origin, key }: TunnelScope,
  between: { readonly from: string; readonly to: string; readonly nowSeconds: EpochSeconds },
): TunnelDialling {
  const own = generateKeyPairSync("x25519");
  const dial: RelayTunnelDial = {
    from: between.from,
    to: between.to,
    timeSeconds: between.nowSeconds,
    nonce: randomBytes(16).toString("base64url"),
    key: rawPublicKey(own.publicKey),
  };
  const signature = signEd25519(key, dialBytes(origin, dial));
  return {
    header: `${Buffer.from(JSON.stringify(dial)).toString("base64url")} ${signature}`,
    finish(message) {
      const parsed = RelayTunnelAccept.safeParse(
        typeof message === "string" && message.length < 1024 ? parseJson(message) : null,
      );
      if (!parsed.success) return null;
      const { data: accept } = parsed;
      if (!verifyEd25519(key.publicKey, acceptBytes(origin, dial, accept.key), accept.signature)) return null;
      return sealOf({ origin, dial, theirs: accept.key, own: own.privateKey, acceptKey: accept.key }, "dial");
    },
  };
}

/** The claim in a header's value. Null: malformed, or not signed with the cluster's key. */
export function readTunnelDial({ origin, key }: TunnelScope, header: string): RelayTunnelDial | null {
  const [, body, signature] = /^([A-Za-z0-9_-]{1,1024}) ([A-Za-z0-9_-]{86})$/.exec(header) ?? [];
  if (body === undefined || signature === undefined) return null;
  const parsed = RelayTunnelDial.safeParse(parseJson(Buffer.from(body, "base64url").toString("utf8")));
  if (!parsed.success) return null;
  return verifyEd25519(key.publicKey, dialBytes(origin, parsed.data), signature) ? parsed.data : null;
}

/** The answer to an accepted dial, and the seal of this end. Null: the dialling end's key is invalid. */
export function acceptTunnel(
  { origin, key }: TunnelScope,
  dial: RelayTunnelDial,
): { readonly message: string; readonly seal: Seal } | null {
  const own = generateKeyPairSync("x25519");
  const acceptKey = rawPublicKey(own.publicKey);
  const seal = sealOf({ origin, dial, theirs: dial.key, own: own.privateKey, acceptKey }, "accept");
  if (seal === null) return null;
  const signature = signEd25519(key, acceptBytes(origin, dial, acceptKey));
  const accept: RelayTunnelAccept = { key: acceptKey, signature };
  return { message: JSON.stringify(accept), seal };
}

/** The order of the fields is part of the signature. A tunnel belongs to no account. */
function dialBytes(origin: string, { from, to, timeSeconds, nonce, key }: RelayTunnelDial): Uint8Array {
  return signedBytes("tunnel-dial", { accountId: "", origin }, { from, to, timeSeconds, nonce, key });
}

function acceptBytes(origin: string, dial: RelayTunnelDial, acceptKey: string): Uint8Array {
  const { from, to, timeSeconds, nonce, key } = dial;
  const fields = { from, to, timeSeconds, nonce, dialKey: key, acceptKey };
  return signedBytes("tunnel-accept", { accountId: "", origin }, fields);
}

interface Agreement {
  readonly origin: string;
  readonly dial: RelayTunnelDial;
  readonly acceptKey: string;
  readonly theirs: string;
  readonly own: KeyObject;
}

function sealOf(agreement: Agreement, end: "dial" | "accept"): Seal | null {
  const secret = agree(agreement.own, agreement.theirs);
  if (secret === null) return null;
  const salt = createHash("sha256")
    .update(acceptBytes(agreement.origin, agreement.dial, agreement.acceptKey))
    .digest();
  const bytes = Buffer.from(hkdfSync("sha256", secret, salt, "qufabric/tunnel-keys/v1", 64));
  const [fromDial, fromAccept] = [bytes.subarray(0, 32), bytes.subarray(32)];
  return end === "dial" ? createSeal(fromDial, fromAccept) : createSeal(fromAccept, fromDial);
}

/** Null for a point of small order, which would give a secret that anyone can compute. */
function agree(privateKey: KeyObject, raw: string): Buffer | null {
  try {
    const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x: raw }, format: "jwk" });
    const secret = diffieHellman({ privateKey, publicKey });
    return secret.every((byte) => byte === 0) ? null : secret;
  } catch {
    return null;
  }
}

function rawPublicKey(key: KeyObject): string {
  return key.export({ format: "jwk" }).x ?? "";
}
