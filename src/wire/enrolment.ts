/**
 * Enrolment of machines in the client API: `POST /client/v1/machines`.
 *
 * @module
 */
import { z } from "zod";
import { LoginProof, PeerFacts } from "./client-api.ts";
import { lazySchema } from "./lazy-schema.ts";
import { ServedLog } from "./log-entry.ts";
import {
  AccountId,
  DnsName,
  Ed25519PublicKey,
  Ed25519Signature,
  EpochSeconds,
  HostLabel,
  HttpUrl,
  OverlayAddress,
  PeerId,
  SshPublicKeyBlob,
} from "./units.ts";

/**
 * POST /client/v1/machines: enrols a machine. Signature by the device key over signedBytes("enrol",
 * …, {challenge, deviceKey, hostKeys (joined by a space), name, credentialHash, timeSeconds}); so is the
 * login key's. credentialHash is base64url SHA-256 of the setup key, of the ID token, login id or token of
 * the proof, or of nothing (device_key).
 */
export const EnrolRequest = lazySchema(() =>
  z.strictObject({
    challenge: z.string().max(64),
    timeSeconds: EpochSeconds,
    deviceKey: Ed25519PublicKey,
    hostKeys: z.array(SshPublicKeyBlob).min(1).max(8),
    credential: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("setup_key"), setupKey: z.string().min(8).max(128) }),
      /** SSO: the person's fresh login; the machine has no owner, and the audit log names who enrolled it. */
      z.strictObject({
        kind: z.literal("login"),
        loginKey: Ed25519PublicKey,
        proof: LoginProof,
        loginSignature: Ed25519Signature,
      }),
      /** Already enrolled: finds itself again by device key (new host keys, new name). */
      z.strictObject({ kind: z.literal("device_key") }),
    ]),
    /** Wanted name; a taken one gets a suffix. */
    name: HostLabel,
    facts: PeerFacts,
    deviceSignature: Ed25519Signature,
  }),
);
export type EnrolRequest = z.infer<typeof EnrolRequest>;

/** Answer to `EnrolRequest`: the machine's place in the account. */
export const EnrolResponse = lazySchema(() =>
  z.object({
    peerId: PeerId,
    accountId: AccountId,
    origin: HttpUrl,
    name: HostLabel,
    domain: DnsName,
    address: OverlayAddress,
    /** The account's log, pinned from the beginning. Absent: an older management. */
    log: ServedLog.optional(),
  }),
);
export type EnrolResponse = z.infer<typeof EnrolResponse>;
