/**
 * Registers this device at management for the person who signed in, or finds it again by its key.
 *
 * @module
 */
import { hostname, platform, release } from "node:os";
import { VERSION } from "../base/build-info.ts";
import { type Clock, nowSeconds } from "../base/clock.ts";
import { type Ed25519Key, signEd25519 } from "../base/ed25519.ts";
import { sha256 } from "../base/random.ts";
import type { LoginProof, PeerFacts, RegisterRequest, RegisterResponse } from "../wire/client-api.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import type { ClientApi } from "./client-api.ts";

/** Account and management origin: part of everything we sign. */
export interface Scope {
  readonly accountId: string;
  readonly origin: string;
}

export interface RegisterDeviceOptions {
  readonly api: ClientApi;
  readonly clock: Clock;
  readonly scope: Scope;
  readonly loginKey: Ed25519Key;
  readonly deviceKey: Ed25519Key;
  readonly proof: LoginProof;
  /** Control socket of an agent that belongs to this management. Undefined: none. */
  readonly controlSocket: string | undefined;
}

/** Registers the device. Throws management's refusal. */
export async function registerDevice(options: RegisterDeviceOptions): Promise<RegisterResponse> {
  const { api, scope, loginKey, deviceKey, proof, controlSocket } = options;
  const [{ challenge }, vouch] = await Promise.all([
    api.challenge(),
    controlSocket === undefined ? undefined : vouchOf(controlSocket, deviceKey.publicKey),
  ]);
  const timeSeconds = nowSeconds(options.clock);
  const bytes = signedBytes("register", scope, {
    challenge,
    loginKey: loginKey.publicKey,
    deviceKey: deviceKey.publicKey,
    proofHash: proofHash(proof),
    timeSeconds,
  });
  return api.registerDevice({
    challenge,
    timeSeconds,
    loginKey: loginKey.publicKey,
    deviceKey: deviceKey.publicKey,
    proof,
    facts: deviceFacts(),
    loginSignature: signEd25519(loginKey, bytes),
    deviceSignature: signEd25519(deviceKey, bytes),
    ...(vouch === undefined ? {} : { vouch }),
  });
}

/** Loaded on demand: most connections register nothing. */
async function vouchOf(controlSocket: string, deviceKey: string): Promise<RegisterRequest["vouch"]> {
  return (await import("./vouch.ts")).askForVouch(controlSocket, deviceKey);
}

/** The value that represents `proof` in signed fields. */
export function proofHash(proof: LoginProof): string {
  if (proof.kind === "id_token") return sha256(proof.idToken);
  return sha256(proof.kind === "claimed" ? proof.loginId : proof.token);
}

/** The facts this device reports about itself. */
export function deviceFacts(): PeerFacts {
  return {
    hostname: hostLabel(hostname()),
    os: platform().slice(0, 64),
    kernelVersion: release().slice(0, 128),
    version: VERSION.slice(0, 64),
  };
}

/** The first label of a host name as one of ours; `device` when nothing valid is left. */
export function hostLabel(name: string): string {
  const label = (name.split(".")[0] ?? "")
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return label === "" ? "device" : label;
}
