/**
 * Management's public answer to GET /client/v1/config: everything a client must know before a sign-in.
 *
 * @module
 */
import { z } from "zod";
import { lazySchema } from "./lazy-schema.ts";
import { ServedLog } from "./log-entry.ts";
import { AccountId, DnsName, HttpUrl } from "./units.ts";

/** Hosts that a loopback redirect may name. Some providers accept only one of them. */
export const LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"] as const;
/** One of `LOOPBACK_HOSTS`, as registered at the provider. */
export type LoopbackHost = (typeof LOOPBACK_HOSTS)[number];

/** The answer to GET /client/v1/config. Public. */
export const ClientConfig = lazySchema(() =>
  z.object({
    protocolVersion: z.int().min(1),
    accountId: AccountId,
    /** Management's public origin. The client refuses one other than the URL it was given. */
    origin: HttpUrl,
    domain: DnsName,
    /** The account's log. Devices follow a move of management that its key has signed. Absent: none. */
    log: ServedLog.optional(),
    oidc: z.object({
      issuer: HttpUrl,
      clientId: z.string().min(1).max(512),
      /** OAuth client for sign-ins on management's own pages. Absent: `clientId`. */
      webClientId: z.string().min(1).max(512).optional(),
      scope: z.string().min(1).max(1024),
      /** Whether qf may run authorization code + PKCE with a loopback redirect itself. */
      loopback: z.boolean(),
      /** Fixed loopback port that the provider requires. Absent or 0: any. */
      redirectPort: z.int().min(0).max(65_535).optional(),
      /** Host of that redirect. Absent: 127.0.0.1. */
      loopbackHost: z.enum(LOOPBACK_HOSTS).optional(),
      /** Exact `aud` of the provider's tokens. Absent: the client id. */
      audience: z.string().min(1).max(512).optional(),
      /** Claim that holds a person's groups. Absent: groups are not read. */
      groupsClaim: z.string().min(1).max(256).optional(),
      /** Whether `prompt=login` is sent. */
      promptLogin: z.boolean(),
    }),
    /** Hosted flow: `code` has the person type a one-time code into the terminal; `click` polls. */
    loginConfirmation: z.enum(["code", "click"]),
    /** Cap on --ssh-jwt-cache-ttl. Default 43200. */
    loginSecondsMax: z.int().min(0),
    /** The server's clock. Absent: an older server. */
    nowMs: z.int().min(0).optional(),
  }),
);
export type ClientConfig = z.infer<typeof ClientConfig>;
