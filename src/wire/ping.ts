/**
 * The protocol of `qf ping` between a device and a machine's agent, on a stream opened by a hello.
 *
 * The agent sends one JSON line, `PingAnswer`, first, and another for each `ping` line it receives. There is
 * no SSH and no sign-in: the hello proves the device, and the network rules for SSH decide.
 *
 * @module
 */
import { z } from "zod";
import { PING_PORT } from "./hello.ts";
import { SSH_PORT } from "./ports.ts";
import { OverlayAddress, PeerId, type Port } from "./units.ts";

/** The line that requests another answer. */
export const PING_LINE = "ping\n";
/** Longest answer line, in bytes. */
export const PING_ANSWER_BYTES_MAX = 1024;
/** Most answers on one stream, the first included. */
export const PING_COUNT_MAX = 101;
/** Longest duration of a ping stream, in milliseconds. */
export const PING_TOTAL_MS_MAX = 120_000;
/** Silence after which the machine ends a ping stream, in milliseconds. */
export const PING_IDLE_MS_MAX = 15_000;

/** One answer line: what an agent tells a device that may reach it. */
export const PingAnswer = z.object({
  /** Its clock. */
  nowMs: z.number().min(0),
  version: z.string().max(64),
  /** Seconds since management last confirmed its map; null: it has none. */
  mapAgeSeconds: z.int().min(0).nullable(),
  /** Whether it has a link to management. */
  connected: z.boolean(),
  /** `on`, or why no session is possible there now. */
  ssh: z.enum(["on", "off", "map_stale"]),
});
export type PingAnswer = z.infer<typeof PingAnswer>;

/** The JSON that `qf ping --json` prints; fields are added, never changed. */
export const PingReport = z.object({
  peer: z.object({ peerId: PeerId, name: z.string(), address: OverlayAddress }),
  /** Null: no path answered. */
  path: z.enum(["direct", "relay"]).nullable(),
  /** `HOST:PORT` of a direct path. */
  endpoint: z.string().nullable(),
  /** Why this path was used, or why none answered. */
  why: z.string(),
  /** Milliseconds from the first attempt until the path answered; null without one. */
  connectMs: z.number().nullable(),
  sent: z.int(),
  received: z.int(),
  /** On the open path. */
  roundTripMs: z.object({ min: z.number(), median: z.number(), max: z.number() }).nullable(),
  /** This clock minus the peer's, from the fastest answer. */
  clockOffsetMs: z.int().nullable(),
  /** `connected` to management: as the agent reports, otherwise as management does. */
  agent: z.object({
    connected: z.boolean(),
    version: z.string().nullable(),
    mapAgeSeconds: z.int().nullable(),
  }),
  ssh: z.enum([...PingAnswer.shape.ssh.options, "unknown"]),
  /** Why there is no answer. Null: there is one. */
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).nullable(),
});
export type PingReport = z.infer<typeof PingReport>;

/** The port whose rules apply to a hello: a ping is allowed where SSH is. */
export function ruledPort(port: Port): Port {
  return port === PING_PORT ? SSH_PORT : port;
}
