/**
 * A sign-in on a page of management, as it is kept while it is under way (at most five minutes).
 *
 * @module
 */
import { z } from "zod";
import { HostLabel, Id, LocalUser } from "./units.ts";

export const HostedLoginData = z.strictObject({
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
  /** Set on approval: what the claim hands out. An ID token is encrypted under the master key. */
  proof: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("id_token"), sealed: z.string().max(65_536) }),
      z.strictObject({ kind: z.literal("claimed"), loginId: Id }),
    ])
    .optional(),
});
export type HostedLoginData = z.infer<typeof HostedLoginData>;
