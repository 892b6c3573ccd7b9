/**
 * A sign-in on a page of management, as it is kept while it is under way (at most five minutes).
 *
 * @module
 */
import { z } from "zod";
import { Ed25519PublicKey, EpochSeconds, HostLabel, Id, LocalUser, PeerId, Sha256 } from "./units.ts";

const asked = {
  /** Of an approval: the machine's. */
  deviceName: HostLabel,
  /** Empty: unknown. */
  target: z.string().max(253),
  localUser: z.union([LocalUser, z.literal("")]),
  /** Of the terminal, as the page shows it. */
  sourceAddress: z.string().max(64),
  /** The provider is asked to sign in anew. */
  fresh: z.boolean(),
  /** The account's setting when it began. */
  confirmation: z.enum(["code", "click"]),
} as const;

/** A sign-in that nobody has answered yet, as its id holds it, sealed: a list, since it is part of a URL. */
export const HostedTicket = z.tuple([
  Id,
  /** Until when it can be answered. */
  EpochSeconds,
  /** Of the poll secret. */
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

/** What a hosted sign-in needs to go on once somebody has answered it, as the database keeps it. */
export const HostedLoginData = z.strictObject({
  ...asked,
  /** A terminal in a page asks. Absent: one of qf. */
  browser: z.boolean().optional(),
  /**
   * Of a sign-in with a client that has no certificate: what the approval is good for. Absent: a login of qf.
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
  /** Set on approval with an ID token: whom it made known here, and which token that was. */
  person: z.strictObject({ userId: Id, tokenHash: Sha256 }).optional(),
  /** Why it ended without anybody's no: what the page said. */
  failure: z
    .strictObject({
      code: z.string().max(64),
      message: z.string().max(500),
      hint: z.string().max(500).optional(),
    })
    .optional(),
  /** Set on approval: what the claim hands out. An ID token is encrypted under the master key. */
  proof: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("id_token"), sealed: z.string().max(65_536) }),
      z.strictObject({ kind: z.literal("claimed"), loginId: Id }),
    ])
    .optional(),
});
export type HostedLoginData = z.infer<typeof HostedLoginData>;
