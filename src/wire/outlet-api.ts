/**
 * Outlets of an account's log in the REST API: streams, which forward every entry, and notification channels,
 * which notify people.
 *
 * A secret appears only in the response that creates it.
 *
 * @module
 */
import { z } from "zod";
import { DisplayName } from "./display-name.ts";
import { DnsName, Email, Id, Port } from "./units.ts";

/** An https URL without credentials or fragment. The server decides which addresses are allowed. */
export const OutboundUrl = z
  .url({ protocol: /^https$/, error: "is not an https URL" })
  .max(2048)
  .regex(/^[\x21-\x7e]+$/, "must be printable ASCII")
  .refine((text) => {
    const url = URL.parse(text);
    return url === null || (url.username === "" && url.password === "" && url.hash === "");
  }, "must have no credentials and no fragment");

/** A host name or address to connect to. */
export const OutboundHost = z.union([DnsName, z.ipv4(), z.ipv6()]);

const webhook = z.object({ type: z.literal("webhook"), url: OutboundUrl });

/** Where a stream goes. */
export const StreamTarget = z.discriminatedUnion("type", [
  /** POSTs signed as Standard Webhooks. */
  webhook,
  /** RFC 5424 with octet counting (RFC 6587), over plain TCP or TLS (RFC 5425). */
  z.object({
    type: z.literal("syslog"),
    host: OutboundHost,
    port: Port,
    /** Default true. */
    tls: z.boolean().default(true),
  }),
]);
export type StreamTarget = z.infer<typeof StreamTarget>;

/** Most recipients of one channel. */
const RECIPIENTS_MAX = 20;

/** Where notices go. */
export const ChannelTarget = z.discriminatedUnion("type", [
  webhook,
  /**
   * A Slack incoming webhook, or anything that accepts the same JSON. The URL is a secret. Absent: unchanged.
   */
  z.object({ type: z.literal("slack"), url: OutboundUrl.optional() }),
  /** Sent with the server's SMTP settings. */
  z.object({ type: z.literal("email"), to: z.array(Email).min(1).max(RECIPIENTS_MAX) }),
]);
export type ChannelTarget = z.infer<typeof ChannelTarget>;

/** Topics of notifications. */
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
  /** Default true. A disabled outlet keeps its position and resumes there. */
  enabled: z.boolean().default(true),
};

const state = {
  id: Id,
  name: z.string(),
  enabled: z.boolean(),
  created_at: z.iso.datetime(),
  /** `behind`: it works, but has more than a page of entries left. */
  status: z.enum(OUTLET_STATUSES),
  /** Undelivered log entries. */
  lag: z.int().min(0),
  /** Number of the last entry delivered or examined. */
  delivered_seq: z.int().min(0),
  /** Null: nothing delivered yet. */
  last_delivered_at: z.iso.datetime().nullable(),
  /** Null: the last attempt succeeded. */
  failing_since: z.iso.datetime().nullable(),
  /** Why the last attempt failed. Null: it succeeded. */
  last_error: z.string().nullable(),
  /** `whsec_…`, with which a receiver checks signatures. Only in the response that creates it. */
  secret: z.string().optional(),
};

/** Body of POST and PUT /api/audit-streams. */
export const AuditStreamWrite = z.object({
  ...ofOutlet,
  target: StreamTarget,
  /** Where a new stream begins. Default `now`. */
  from: z.enum(["now", "beginning"]).default("now"),
  /** Of a webhook: makes another secret, which is in the answer. Default false. */
  rotate_secret: z.boolean().default(false),
});
export type AuditStreamWrite = z.infer<typeof AuditStreamWrite>;

/** A stream of the account's log to an external receiver. */
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

/** `ChannelTarget` as shown: only the host of a secret URL. */
export const ShownChannelTarget = z.discriminatedUnion("type", [
  webhook,
  z.object({ type: z.literal("slack"), host: z.string() }),
  z.object({ type: z.literal("email"), to: z.array(z.string()) }),
]);
export type ShownChannelTarget = z.infer<typeof ShownChannelTarget>;

/** A notification channel. */
export const NotificationChannel = z.object({
  ...state,
  target: ShownChannelTarget,
  topics: z.array(z.string()),
});
export type NotificationChannel = z.infer<typeof NotificationChannel>;

/** Answer of POST …/test: whether a test message was delivered. */
export const OutletTest = z.object({
  ok: z.boolean(),
  /** Why it was not. Null: it was. */
  error: z.string().nullable(),
  hint: z.string().nullable(),
});
export type OutletTest = z.infer<typeof OutletTest>;
