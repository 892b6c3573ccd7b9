/**
 * Fields of our OpenSSH user certificates beyond OpenSSH's own.
 *
 * The layout is that of OpenSSH's PROTOCOL.certkeys. Our critical option and extensions carry one SSH string
 * each. `certificate/` issues and verifies certificates.
 *
 * @module
 */
import { z } from "zod";
import { AccessReason } from "./access-reason.ts";
import { lazySchema } from "./lazy-schema.ts";
import { EpochSeconds, HttpUrl, Id, PeerId, Sha256, UserId } from "./units.ts";

/**
 * How a login was proven. `idp`: the provider's ID token names the login key in its nonce. `ca`: management
 * vouches for it, because it claimed a token without a nonce or a person approved the connection on its page.
 * `service`: a service user's API token. `device`: nobody signed in; the device key is the identity.
 */
export const Binding = lazySchema(() => z.enum(["idp", "ca", "service", "device"]));
export type Binding = z.infer<typeof Binding>;

/** SSH name of the certificate's key type. */
export const CERTIFICATE_KEY_TYPE = "ssh-ed25519-cert-v01@openssh.com";
/** Longest certificate blob accepted: room for the longest ID token and 256 principals. */
export const CERTIFICATE_BYTES_MAX = 49_152;

/** Critical option; its value is the target's peer id. Stock sshd rejects an unknown critical option. */
export const OPTION_PEER = "peer@qufabric";
/** Value is the JSON of `CertificateIdentity`. */
export const EXTENSION_IDENTITY = "identity@qufabric";
/** Value is a compact JWS: the ID token (binding `idp`) or management's own short token. */
export const EXTENSION_ID_TOKEN = "id-token@qufabric";
/**
 * Only in a certificate that a login key signed itself (`--allow-offline-logins`): the device's signature
 * over signedBytes("offline-login", …, {loginKey, devicePeerId, target, tokenHash, validAfterSeconds,
 * validBeforeSeconds}); tokenHash is base64url SHA-256 of the ID token.
 */
export const EXTENSION_DEVICE = "device@qufabric";

/** How long before issue a certificate's validity begins, in seconds, for clocks that are behind. */
export const CERTIFICATE_BACKDATE_SECONDS = 30;
/**
 * How long after issue a certificate is valid, in seconds. It limits the start of a connection, not its
 * duration.
 */
export const CERTIFICATE_LIFETIME_SECONDS = 120;
/** Clock difference tolerated either way, for certificates, hellos and signed requests. */
export const CLOCK_SKEW_SECONDS = 60;
/** Above this number the certificate has the single principal `*`. OpenSSH reads at most 256. */
export const PRINCIPALS_MAX = 256;
/** Longest ID token carried. OpenSSH's packet limit leaves room for it. */
export const ID_TOKEN_BYTES_MAX = 20_480;

/** JWS algorithms accepted from any issuer. All others are refused without verifying. */
export const JWS_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"] as const;

/** `typ` of management's own short-lived token. No other token of ours has it. */
export const MANAGEMENT_TOKEN_TYPE = "qufabric-login+jwt";

/** Who the certificate speaks for. */
export const CertificateIdentity = lazySchema(() =>
  z.strictObject({
    issuer: z.string().max(2048),
    subject: z.string().min(1).max(512),
    userId: UserId,
    devicePeerId: PeerId,
    /** When the person authenticated (`auth_time`). Null when the provider does not say. */
    authTimeSeconds: EpochSeconds.nullable(),
    binding: Binding,
    /** The target's map version that the issuer used to decide; the machine waits up to 2 s for it. */
    mapVersion: z.int().min(0),
    /** The person's reason for the access (`require_reason`). Absent: none. */
    accessReason: AccessReason.optional(),
  }),
);
export type CertificateIdentity = z.infer<typeof CertificateIdentity>;

/** Payload of management's own short-lived token. */
export const ManagementTokenClaims = lazySchema(() =>
  z.object({
    /** Management's origin. */
    iss: HttpUrl,
    /** The user; equals `userId` of the certificate's identity. */
    sub: UserId,
    /** The machine it is for. One value, never a list. */
    aud: PeerId,
    /** RFC 7638 thumbprint of the login key; the token is useless without that key. */
    cnf: z.strictObject({ jkt: Sha256 }),
    iat: EpochSeconds,
    /** At most `CERTIFICATE_LIFETIME_SECONDS` after `iat`. */
    exp: EpochSeconds,
    jti: Id,
    binding: Binding,
  }),
);
export type ManagementTokenClaims = z.infer<typeof ManagementTokenClaims>;
