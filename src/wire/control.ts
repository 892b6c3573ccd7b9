/**
 * The agent's local control socket: one JSON request line, one JSON answer line, then it closes.
 *
 * Callers are identified by peer credentials (SO_PEERCRED): anyone may read the status; only root and the
 * agent's own user may change anything. Never carries a key or a token.
 *
 * @module
 */
import { z } from "zod";
import { AgentFlagsStored } from "./agent-state-file.ts";
import { Ed25519PublicKey, Ed25519Signature, EpochSeconds, PeerId } from "./units.ts";

/** Longest request line, in bytes with its line feed. */
export const CONTROL_REQUEST_BYTES_MAX = 64 * 1024;

/** The request on the control socket, one per connection. */
export const ControlRequest = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("status") }),
  /** Applies changed flags to the running agent; root or own user only. */
  z.strictObject({ do: z.literal("apply"), flags: AgentFlagsStored.partial() }),
  z.strictObject({ do: z.literal("down") }),
  /** Lets the next agent to start take over from this one, with its sessions; root or own user only. */
  z.strictObject({ do: z.literal("hand_over") }),
  /**
   * Vouches that the caller's device runs on this machine. Signed by the machine's device key over
   * signedBytes("vouch", …, {deviceKey, machinePeerId, uid, timeSeconds}).
   */
  z.strictObject({ do: z.literal("vouch"), deviceKey: Ed25519PublicKey }),
]);
export type ControlRequest = z.infer<typeof ControlRequest>;

/** `qf agent status --json`; fields are added, never changed. */
export const AgentStatus = z.object({
  state: z.enum(["starting", "running", "stopping"]),
  pid: z.int(),
  version: z.string(),
  self: z.object({ peerId: PeerId, name: z.string(), fullName: z.string(), address: z.string() }).nullable(),
  management: z.object({
    url: z.string(),
    connected: z.boolean(),
    mapVersion: z.int(),
    mapAgeSeconds: z.int().nullable(),
    /** Machine clock minus management clock. */
    clockOffsetMs: z.int().nullable(),
    /** Round trip on the control link. Absent: an agent that does not report it. */
    latencyMs: z.number().nullable().optional(),
    error: z.string().nullable(),
  }),
  sshServer: z.object({
    enabled: z.boolean(),
    listen: z.array(z.string()),
    /** Addresses advertised for others to dial. Absent: an agent that does not report them. */
    advertised: z.array(z.string()).optional(),
    /** Where plain SSH clients are accepted (`--plain-ssh-listen`). Absent from older agents. */
    plainListen: z.array(z.string()).optional(),
    sessions: z.array(
      z.object({
        localUser: z.string(),
        user: z.string(),
        peer: z.string(),
        command: z.string(),
        forwards: z.array(z.string()),
        /** Its path: "direct", "relay" or "plain". Absent: an agent that does not report it. */
        path: z.string().optional(),
      }),
    ),
  }),
  /** The link to the relay, and the streams on it. Absent: an agent without relay support. */
  relay: z.object({ connected: z.boolean(), streams: z.int() }).optional(),
  /**
   * Connections refused before SSH within the last `seconds`: those to the direct listener, relayed streams,
   * and how many of these no device can have sent. Absent: an agent that does not report it.
   */
  refused: z
    .object({
      seconds: z.int(),
      direct: z.int(),
      relay: z.int(),
      forgedByRelay: z.int(),
      lastAddress: z.string().nullable(),
    })
    .optional(),
  /** Audit events on disk that management has not acknowledged. Absent: an agent that does not report it. */
  spool: z.object({ events: z.int(), bytes: z.int(), bytesMax: z.int() }).optional(),
  /** `latencyMs` is that of the peer's latest path. Null: it has not connected, or nothing was measured. */
  peers: z.array(
    z.object({ name: z.string(), address: z.string(), path: z.string(), latencyMs: z.number().nullable() }),
  ),
  flags: AgentFlagsStored.partial(),
  /** Problems, a sentence each. Empty when there are none. */
  problems: z.array(z.string()),
  /** What to do about each problem, in the same order. Absent: an agent that does not report it. */
  fixes: z.array(z.string()).optional(),
});
export type AgentStatus = z.infer<typeof AgentStatus>;

/** The answer on the control socket. `code` of a failure is one of `base/errors.ts`. */
export const ControlAnswer = z.discriminatedUnion("ok", [
  z.object({
    ok: z.literal(true),
    status: AgentStatus.optional(),
    vouch: z
      .object({ machinePeerId: PeerId, uid: z.int(), timeSeconds: EpochSeconds, signature: Ed25519Signature })
      .optional(),
  }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string(), hint: z.string().optional() }),
]);
export type ControlAnswer = z.infer<typeof ControlAnswer>;
