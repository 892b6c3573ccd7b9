/**
 * Outlets of an account's log in the REST API: streams, which pass every entry on, and notification channels,
 * which tell people of what concerns them.
 *
 * A secret is in the answer that made it and in no other.
 *
 * @module
 */
import { z } from "zod";
import { DisplayName } from "./display-name.ts";
import { DnsName, Email, Id, Port } from "./units.ts";

/** An https URL without credentials or fragment. Which addresses it may lead to is the server's to say. */
export const OutboundUrl = z
  .url({ protocol: /^https$/, error: "is not an https URL" })
  .max(2048)
  .regex(/^[\x21-\x7e]+$/, "must be printable ASCII")
  .refine((text) => {
    const url = URL.parse(text);
    return url === null || (url.username === "" && url.password === "" && url.hash === "");
  }, "must have no credentials and no fragment");

/** A name or an address, as it is dialled. */
export const OutboundHost = z.union([DnsName, z.ipv4(), z.ipv6()]);

const webhook = z.object({ type: z.literal("webhook"), url: OutboundUrl });

/** Where a stream goes. */
export const StreamTarget = z.discriminatedUnion("type", [
  /** POSTs signed as Standard Webhooks. */
  webhook,
  /** RFC 5424 with octet counting (RFC 6587), in the clear or by TLS (RFC 5425). */
  z.object({
    type: z.literal("syslog"),
    host: OutboundHost,
    port: Port,
    /** Default true. */
    tls: z.boolean().default(true),
  }),
]);
export type StreamTarget = z.infer<typeof StreamTarget>;

/** Recipients of one channel. */
const RECIPIENTS_MAX = 20;

/** Where notices go. */
export const ChannelTarget = z.discriminatedUnion("type", [
  webhook,
  /** An incoming webhook of Slack's, or what takes the same JSON. The URL is a secret. Absent: as it is. */
  z.object({ type: z.literal("slack"), url: OutboundUrl.optional() }),
  /** By the server's SMTP settings. */
  z.object({ type: z.literal("email"), to: z.array(Email).min(1).max(RECIPIENTS_MAX) }),
]);
export type ChannelTarget = z.infer<typeof ChannelTarget>;

/** What people are told of. */
export const NOTICE_TOPICS = [
  "access_request",
  "sign_in_refused",
  "new_device",
  "policy_change",
  "log_inconsistent",
] as const;
/** One of `NOTICE_TOPICS`. */
export const NoticeTopic = z.enum(NOTICE_TOPICS);
export type NoticeTopic = z.infer<typeof NoticeTopic>;

/** Whether an outlet works. */
export const OUTLET_STATUSES = ["ok", "behind", "failing", "disabled"] as const;

const ofOutlet = {
  name: DisplayName,
  /** Default true. A disabled one keeps its place, and goes on there. */
  enabled: z.boolean().default(true),
};

const state = {
  id: Id,
  name: z.string(),
  enabled: z.boolean(),
  created_at: z.iso.datetime(),
  /** `behind`: it works, and has more than a page of entries to go. */
  status: z.enum(OUTLET_STATUSES),
  /** Entries that are in the log and not yet delivered. */
  lag: z.int().min(0),
  /** Number of the last entry that was delivered, or looked at. */
  delivered_seq: z.int().min(0),
  /** Null: nothing was delivered yet. */
  last_delivered_at: z.iso.datetime().nullable(),
  /** Null: the last attempt was good. */
  failing_since: z.iso.datetime().nullable(),
  /** Why the last attempt failed. Null: it did not. */
  last_error: z.string().nullable(),
  /** `whsec_…`, by which a receiver checks signatures. Only in the answer that made it. */
  secret: z.string().optional(),
};

/** Body of POST and PUT /api/audit-streams. */
export const AuditStreamWrite = z.object({
  ...ofOutlet,
  target: StreamTarget,
  /** Which entry a new stream begins with. Default `now`. */
  from: z.enum(["now", "beginning"]).default("now"),
  /** Of a webhook: makes another secret, which is in the answer. Default false. */
  rotate_secret: z.boolean().default(false),
});
export type AuditStreamWrite = z.infer<typeof AuditStreamWrite>;

/** A stream of the account's log to somewhere else. */
export const AuditStream = z.object({ ...state, target: StreamTarget });
export type AuditStream = z.infer<typeof AuditStream>;

/** Body of POST and PUT /api/notifications. */
export const NotificationChannelWrite = z.object({
  ...ofOutlet,
  target: ChannelTarget,
  /** Default: all. */
  topics: z
    .array(NoticeTopic)
    .min(1)
    .max(NOTICE_TOPICS.length)
    .default([...NOTICE_TOPICS]),
  /** Of a webhook: makes another secret, which is in the answer. Default false. */
  rotate_secret: z.boolean().default(false),
});
export type NotificationChannelWrite = z.infer<typeof NotificationChannelWrite>;

/** `ChannelTarget` as it is shown: of a secret URL, the host. */
export const ShownChannelTarget = z.discriminatedUnion("type", [
  webhook,
  z.object({ type: z.literal("slack"), host: z.string() }),
  z.object({ type: z.literal("email"), to: z.array(z.string()) }),
]);
export type ShownChannelTarget = z.infer<typeof ShownChannelTarget>;

/** Where people are told. */
export const NotificationChannel = z.object({
  ...state,
  target: ShownChannelTarget,
  topics: z.array(z.string()),
});
export type NotificationChannel = z.infer<typeof NotificationChannel>;

/** Answer of POST …/test: whether a message of no importance has arrived. */
export const OutletTest = z.object({
  ok: z.boolean(),
  /** Why not. Null: it has. */
  error: z.string().nullable(),
  hint: z.string().nullable(),
});
export type OutletTest = z.infer<typeof OutletTest>;
