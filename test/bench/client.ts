/** ssh2's client as a load of its own: it signs in with a key, or as our server wants it. */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Client, utils } from "ssh2";
import { AUTH_METHODS, signInWith } from "../../src/ssh/client-auth.ts";

export interface LoadedKey {
  readonly pem: string;
  readonly seedKey: KeyObject;
  readonly publicKey: string;
  readonly certificate: Buffer | null;
}

/** Reads a private key in OpenSSH's form, and the certificate beside it. */
export function loadKey(key: string, hasCertificate: boolean): LoadedKey {
  const text = readFileSync(key, "utf8");
  const parsed = utils.parseKey(text);
  if (parsed instanceof Error || Array.isArray(parsed)) throw new Error("not a key");
  const seedKey = createPrivateKey(parsed.getPrivatePEM());
  const spki = createPublicKey(seedKey).export({ format: "der", type: "spki" });
  const line = hasCertificate ? readFileSync(`${key}-cert.pub`, "utf8").split(" ")[1] : undefined;
  const certificate = line === undefined ? null : Buffer.from(line, "base64");
  return { pem: text, seedKey, publicKey: spki.subarray(-32).toString("base64url"), certificate };
}

/** Begins to connect and to sign in. */
export function connectClient(
  client: Client,
  to: { readonly port: number; readonly user: string },
  key: LoadedKey,
): void {
  const common = { host: "127.0.0.1", port: to.port, username: to.user, readyTimeout: 60_000 };
  if (key.certificate === null) {
    client.connect({ ...common, privateKey: key.pem });
    return;
  }
  client.connect({ ...common, authHandler: [...AUTH_METHODS] });
  const loginKey = { seed: "", publicKey: key.publicKey, privateKeyObject: key.seedKey };
  signInWith(client, { key: loginKey, certificateBlob: key.certificate });
}
