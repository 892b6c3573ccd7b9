/**
 * State of a sign-in on a page of management while it is pending (at most five minutes).
 *
 * @module
 */
import { z } from "zod";
import { Ed25519PublicKey, EpochSeconds, HostLabel, Id, LocalUser, PeerId, Sha256 } from "./units.ts";

const asked = {
  /** For an approval, the machine's name. */
  deviceName: HostLabel,
  /** Empty: unknown. */
  target: z.string().max(253),
  localUser: z.union([LocalUser, z.literal("")]),
  /** The terminal's address, as the page shows it. */
  sourceAddress: z.string().max(64),
  /** Whether to ask the provider for a fresh sign-in. */
  fresh: z.boolean(),
  /** The account's setting when it began. */
  confirmation: z.enum(["code", "click"]),
} as const;

/** An unanswered sign-in, sealed inside its own id. A tuple, to keep the URL short. */
export const HostedTicket = z.tuple([
  Id,
  /** When it expires. */
  EpochSeconds,
  /** Hash of the poll secret. */
  Sha256,
  Ed25519PublicKey,
  asked.deviceName,
  asked.target,
  asked.localUser,
  asked.sourceAddress,
  asked.fresh,
  asked.confirmation,
  z.boolean().optional(),
]);
export type HostedTicket = z.infer<typeof HostedTicket>;

/** An answered hosted sign-in, as the database stores it. */
export const HostedLoginData = z.strictObject({
  ...asked,
  /** The request comes from a terminal in a page. Absent: from qf. */
  browser: z.boolean().optional(),
  /**
   * For a sign-in by a client without a certificate: what the approval is bound to. Absent: a login of qf.
   */
  approval: z
    .strictObject({
      machinePeerId: PeerId,
      connectionId: Id,
      sessionIdHash: Sha256,
      /** Fingerprints of the machine's host keys, as ssh(1) shows them. */
      hostKeys: z.array(z.string().max(64)).max(8),
    })
    .optional(),
  /** Set on approval with an ID token: the user it identified, and the token's hash. */
  person: z.strictObject({ userId: Id, tokenHash: Sha256 }).optional(),
  /** Why it failed without a refusal by the person: what the page showed. */
  failure: z
    .strictObject({
      code: z.string().max(64),
      message: z.string().max(500),
      hint: z.string().max(500).optional(),
    })
    .optional(),
  /** Set on approval: what the claim returns. An ID token is encrypted under the master key. */
  proof: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("id_token"), sealed: z.string().max(65_536) }),
      z.strictObject({ kind: z.literal("claimed"), loginId: Id }),
    ])
    .optional(),
});
export type HostedLoginData = z.infer<typeof HostedLoginData>;
