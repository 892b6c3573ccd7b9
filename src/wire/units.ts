/**
 * The glossary as types: ids, names, times and bounds that all other shapes use.
 *
 * @module
 */
import { z } from "zod";

/** Whole seconds since 1970. Far enough for any certificate, small enough for exact arithmetic. */
export const EpochSeconds = z.int().min(0).max(253_402_300_799);
export type EpochSeconds = z.infer<typeof EpochSeconds>;

/** A length of time in whole seconds; at most ten years. */
export const DurationSeconds = z.int().min(0).max(315_360_000);
export type DurationSeconds = z.infer<typeof DurationSeconds>;

/** A TCP or UDP port that can be dialled. */
export const Port = z.int().min(1).max(65_535);
export type Port = z.infer<typeof Port>;

/** Length of every id we make: 20 characters of base 36, 103 bits. */
export const ID_LENGTH = 20;
/** Ids of accounts, users, groups, peers, policies, rules, keys, tokens, events. Never reused. */
export const Id = z.string().regex(/^[a-z0-9]{20}$/, "is not an id");
/** Id of a hosted sign-in: that of its row, or, while nobody has answered it, everything about it, sealed. */
export const HostedLoginId = z.string().regex(/^[A-Za-z0-9_-]{20,1500}$/, "is no sign-in");
/** Id of an account. */
export const AccountId = Id;
export type AccountId = string;
/** Id of a user or service user. */
export const UserId = Id;
export type UserId = string;
/** Id of a group. */
export const GroupId = Id;
export type GroupId = string;
/** Id of a peer: a machine or a device. */
export const PeerId = Id;
export type PeerId = string;
/** Id of a policy. */
export const PolicyId = Id;
export type PolicyId = string;
/** Id of a rule. Quoted in every audit event that the rule decides. */
export const RuleId = Id;
export type RuleId = string;

/** Longest OS account name taken, in bytes of UTF-8; Linux stops at 32, directory services go further. */
export const LOCAL_USER_BYTES_MAX = 64;
/** No zero-width or direction character: two names would look alike. ` -` could begin an option. */
const LOCAL_USER =
  /^(?!.*(?:\p{Default_Ignorable_Code_Point}| -))[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.@+\\ '&#()!%^{}~-]*$/u;
/**
 * Name of an OS account as its system has it: also `DOM\ada` of winbind, with spaces, in any script. Compared
 * byte for byte, never split, never written to a shell or an ssh_config. The charset is Active Directory's,
 * without what is no account (`:`, `/`), a list (`,`), a pattern (`*`) or an option; `*` is not a name.
 */
export const LocalUser = z
  .string()
  .max(LOCAL_USER_BYTES_MAX)
  .regex(/^[^$]*[^$ \\]\$?$/, "is not an OS user name")
  .refine((name) => LOCAL_USER.test(name.replace(/\$$/, "")), "is not an OS user name")
  .refine(
    (name) => new TextEncoder().encode(name).length <= LOCAL_USER_BYTES_MAX,
    `is longer than ${LOCAL_USER_BYTES_MAX} bytes`,
  );
export type LocalUser = string;

/** One DNS label in lower case: the host name of a peer (RFC 1123 section 2.1). */
export const HostLabel = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "is not a host name (a-z, 0-9 and - only, 63 characters)");
export type HostLabel = string;

/** A DNS name in lower case: labels with dots, at most 253 characters (RFC 1035 section 2.3.4). */
export const DnsName = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/,
    "is not a DNS name",
  );
export type DnsName = string;

/** Overlay address, in 100.64.0.0/10. */
export const OverlayAddress = z.ipv4().refine((text) => {
  const [a, b] = text.split(".").map(Number);
  return a === 100 && b !== undefined && b >= 64 && b <= 127;
}, "is not an overlay address (100.64.0.0/10)");
export type OverlayAddress = string;

/** Free text a person writes for people. One line or several; no control characters. */
export const Description = z
  .string()
  .max(4096)
  .regex(/^[^\u0000-\u0008\u000b-\u001f\u007f]*$/, "has control characters");

/** An e-mail address: at most 254 characters, one @, no white space. Shown, never used as identity. */
export const Email = z
  .string()
  .max(254)
  .regex(/^[A-Za-z0-9._%+-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/, "is not an e-mail address");

/** Unpadded base64url (RFC 4648 section 5), up to 64 kB of it. */
export const Base64Url = z
  .string()
  .max(65_536)
  .regex(/^[A-Za-z0-9_-]*$/, "is not base64url");
/** Ed25519 signature: 64 bytes as unpadded base64url. */
export const Ed25519Signature = z.string().regex(/^[A-Za-z0-9_-]{86}$/, "is not an Ed25519 signature");
/**
 * Ed25519 public key: the raw 32 bytes as unpadded base64url. Keys are compared as text, so each has one
 * spelling: the last character's two bits that mean nothing are zero.
 */
export const Ed25519PublicKey = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, "is not an Ed25519 public key");
export type Ed25519PublicKey = string;

/** An SSH public key blob (RFC 4253 section 6.6) in padded base64, as in authorized_keys. */
export const SshPublicKeyBlob = z
  .string()
  .max(4096)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/, "is not an SSH public key");

/** A SHA-256 digest as unpadded base64url. */
export const Sha256 = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "is not a SHA-256 digest");

/** `host:port` where something listens; IPv6 in brackets. */
export const HostPort = z
  .string()
  .max(262)
  .regex(/^(?:\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?\]|[A-Za-z0-9.-]+):\d{1,5}$/, "is not HOST:PORT")
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= 65_535, "has a port above 65535");

/** An absolute http(s) URL without credentials or fragment. */
export const HttpUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  // A URL drops line breaks and encodes the rest when it is read; as text it would reach a terminal.
  .regex(/^[\x21-\x7e]+$/, "must be printable ASCII")
  .refine((text) => {
    const url = URL.parse(text); // Refinements run even where the check before has failed.
    return url === null || (url.username === "" && url.password === "" && url.hash === "");
  }, "must have no credentials and no fragment");
