/**
 * The run socket's protocol: JSON lines between a running agent, its successor and its predecessors.
 *
 * A successor asks once for everything (`take_over`) and then for each listening socket. A predecessor that
 * is still serving its last sessions stays connected: it sends its audit events to the running agent, which
 * has the only spool, and receives maps, flags and orders. Only root and the agent's own user can open the
 * socket.
 *
 * Older and newer builds read these lines, so unknown fields are ignored.
 *
 * @module
 */
import { z } from "zod";
import { AgentFlagsStored } from "./agent-state-file.ts";
import { AgentMessage, LiveSession, ManagementMessage } from "./agent-sync.ts";
import { AgentEventBody } from "./audit-event.ts";
import { NetworkMap } from "./network-map.ts";
import { EpochSeconds, Id, PeerId } from "./units.ts";

/** Longest line, in bytes: a whole map. */
export const HANDOVER_LINE_BYTES_MAX = 256 * 1024 * 1024;

/** What a listening socket is for. */
export const ListenerRole = z.enum(["direct", "plain"]);
export type ListenerRole = z.infer<typeof ListenerRole>;

/** A hello already accepted, to be refused as a replay until it expires. */
export const TakenHello = z.object({ source: PeerId, nonce: z.string(), untilSeconds: EpochSeconds });
export type TakenHello = z.infer<typeof TakenHello>;

/** What a successor is given. Each listening socket follows on a connection of its own (`descriptor`). */
export const Inheritance = z.object({
  /** Kept, so that management treats the successor as the same agent. */
  bootId: Id,
  /** Hellos from before this time are refused, since they may have been used already. */
  startSeconds: z.int(),
  hellos: z.array(TakenHello),
  listeners: z.array(z.object({ role: ListenerRole, address: z.string() })),
});
export type Inheritance = z.infer<typeof Inheritance>;

/** From a successor or a predecessor to the running agent. */
export const HandoverRequest = z.discriminatedUnion("do", [
  /** Gives up lock, spool, links and sockets. Answered with an `Inheritance`, or `refused`. */
  z.object({ do: z.literal("take_over"), version: z.string() }),
  /** Sends the listening socket of this number in `listeners`, as one byte with a descriptor. */
  z.object({ do: z.literal("descriptor"), index: z.int().min(0) }),
  /** A predecessor that serves its last sessions; `epoch` and `version` are those of its map. */
  z.object({ do: z.literal("drain"), pid: z.int(), epoch: z.int(), version: z.int() }),
  /** Stores an event. Answered with `recorded` of the same id. */
  z.object({ do: z.literal("record"), id: z.int(), body: AgentEventBody }),
  z.object({ do: z.literal("sessions"), sessions: z.array(LiveSession) }),
  z.object({ do: z.literal("hello"), hello: TakenHello }),
  /** Forwards to management a sign-in that a person has to approve. */
  z.object({ do: z.literal("ask"), message: AgentMessage }),
]);
export type HandoverRequest = z.infer<typeof HandoverRequest>;

/** From the running agent to a successor or a predecessor. */
export const HandoverAnswer = z.discriminatedUnion("is", [
  z.object({ is: z.literal("inheritance"), inheritance: Inheritance }),
  z.object({ is: z.literal("refused") }),
  z.object({ is: z.literal("recorded"), id: z.int(), code: z.string().nullable() }),
  /** The map in effect, and its age. Null: the machine is no longer part of the account. */
  z.object({ is: z.literal("map"), map: NetworkMap.nullable(), ageSeconds: z.number() }),
  /** The map is still in effect. */
  z.object({ is: z.literal("age"), ageSeconds: z.number() }),
  z.object({ is: z.literal("flags"), flags: AgentFlagsStored }),
  z.object({ is: z.literal("kill"), connectionId: Id, reason: z.string() }),
  z.object({ is: z.literal("told"), message: ManagementMessage }),
  /** The agent is stopping for good. */
  z.object({ is: z.literal("end") }),
]);
export type HandoverAnswer = z.infer<typeof HandoverAnswer>;
