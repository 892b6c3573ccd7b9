/**
 * The public answer of management to GET /client/v1/config: all that a client must
 * know before it can sign anybody in.
 *
 * @module
 */
import { z } from "zod";
import { lazySchema } from "./lazy-schema.ts";
import { ServedLog } from "./log-entry.ts";
import { AccountId, DnsName, HttpUrl } from "./units.ts";

/** Hosts that a loopback redirect may name; some providers take only one of them. */
export const LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"] as const;
/** One of them, as it is registered at the provider. */
export type LoopbackHost = (typeof LOOPBACK_HOSTS)[number];

/** GET /client/v1/config: public; what a client must know before it can sign anybody in. */
export const ClientConfig = lazySchema(() =>
  z.object({
    protocolVersion: z.int().min(1),
    accountId: AccountId,
    /** Management's public origin; equal to the URL the client was given or it refuses. */
    origin: HttpUrl,
    domain: DnsName,
    /** The account's log, by whose key's word devices follow a move of management. Absent: none. */
    log: ServedLog.optional(),
    oidc: z.object({
      issuer: HttpUrl,
      clientId: z.string().min(1).max(512),
      /** Client of the sign-ins on management's own pages. Absent: `clientId`. */
      webClientId: z.string().min(1).max(512).optional(),
      scope: z.string().min(1).max(1024),
      /** Whether qf may run authorization code + PKCE with a loopback redirect itself. */
      loopback: z.boolean(),
      /** Fixed loopback port the provider insists on. Absent or 0: any. */
      redirectPort: z.int().min(0).max(65_535).optional(),
      /** Host of that redirect. Absent: 127.0.0.1. */
      loopbackHost: z.enum(LOOPBACK_HOSTS).optional(),
      /** Exact `aud` of its tokens. Absent: the client id. */
      audience: z.string().min(1).max(512).optional(),
      /** Claim with a person's groups. Absent: none is read. */
      groupsClaim: z.string().min(1).max(256).optional(),
      /** Whether `prompt=login` is sent. */
      promptLogin: z.boolean(),
    }),
    /** Hosted flow: `code` types a one-time code back, `click` polls. */
    loginConfirmation: z.enum(["code", "click"]),
    /** Cap on --ssh-jwt-cache-ttl. Default 43200. */
    loginSecondsMax: z.int().min(0),
    /** The server's clock. Absent: an older server. */
    nowMs: z.int().min(0).optional(),
  }),
);
export type ClientConfig = z.infer<typeof ClientConfig>;
