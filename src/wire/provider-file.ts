/**
 * The provider settings in use, which management writes into its data folder at each start for `qf doctor` on
 * the same host. It contains no secret.
 *
 * @module
 */
import { z } from "zod";
import { LOOPBACK_HOSTS } from "./client-config.ts";
import { CLIENT_AUTH_METHODS } from "./identity-provider.ts";
import { HttpUrl } from "./units.ts";

const text = z.string().min(1).max(1024);

/** File name in the data folder. */
export const PROVIDER_FILE = "provider.json";

/** Written by `qf management serve`, read by `qf doctor`. */
export const ProviderFile = z.object({
  format: z.literal(1),
  /** Management's public origin. */
  origin: HttpUrl,
  /** Null: people sign in with the embedded provider. */
  external: z
    .object({
      issuer: HttpUrl,
      clientId: text,
      /** Client of the sign-ins on management's pages. Absent: `clientId`. */
      webClientId: text.optional(),
      /** Where the secret is; null for a public client. */
      clientSecretFile: z.string().max(4096).nullable(),
      clientAuth: z.enum(CLIENT_AUTH_METHODS).nullable(),
      redirectPort: z.int().min(0).max(65_535),
      loopbackHost: z.enum(LOOPBACK_HOSTS),
      /** Audience of all tokens. Null: the requesting client. */
      audience: text.nullable(),
      scope: text,
      userIdClaim: text,
      groupsClaim: text.nullable(),
    })
    .nullable(),
});
export type ProviderFile = z.infer<typeof ProviderFile>;
