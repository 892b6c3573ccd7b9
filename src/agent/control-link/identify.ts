/**
 * The agent's answer to management's welcome: its identity, with proof, and its state.
 *
 * @module
 */
import type { Spool } from "../../audit/spool-contract.ts";
import { type Ed25519Key, signEd25519 } from "../../base/ed25519.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import type { AgentFlags, AgentMessage, ManagementMessage } from "../../wire/agent-sync.ts";
import type { PeerFacts } from "../../wire/client-api.ts";
import { digestOfMap } from "../../wire/map-digest.ts";
import { sectionsOf } from "../../wire/map-outline.ts";
import { signedBytes } from "../../wire/signed-fields.ts";
import { PROTOCOL_VERSION } from "../../wire/version.ts";
import type { MapHolder } from "./map-holder.ts";

/** What the machine reports about itself, read again for each link. */
export interface SelfReport {
  readonly facts: PeerFacts;
  readonly flags: AgentFlags;
  readonly hostKeys: readonly string[];
  readonly direct: readonly string[];
}

export interface Identity {
  readonly enrolled: Enrolled;
  readonly deviceKey: Ed25519Key;
  readonly bootId: string;
  readonly maps: MapHolder;
  readonly spool: Spool;
  report(): SelfReport;
}

type Welcome = Extract<ManagementMessage, { type: "welcome" }>;

/**
 * Why the agent does not identify itself to this management. Its signature must be for the account and origin
 * at which it enrolled. `endOfMoved` decides whether to follow a move.
 */
export function denialOfWelcome(welcome: Welcome, enrolled: Enrolled): string | null {
  if (welcome.accountId !== enrolled.accountId || welcome.origin !== enrolled.origin) {
    return "management calls itself something else than where this machine is enrolled";
  }
  if (welcome.protocolVersion > PROTOCOL_VERSION) {
    return "management speaks a newer protocol; update qf on this machine";
  }
  return null;
}

export function identifyFor({ challenge }: Welcome, identity: Identity): AgentMessage {
  const { enrolled, deviceKey, bootId, maps, spool } = identity;
  const { accountId, origin, peerId } = enrolled;
  const bytes = signedBytes("sync", { accountId, origin }, { challenge, peerId, bootId });
  const { facts, flags, hostKeys, direct } = identity.report();
  const map = maps.snapshot()?.map;
  return {
    type: "identify",
    protocolVersion: PROTOCOL_VERSION,
    peerId,
    bootId,
    signature: signEd25519(deviceKey, bytes),
    ...maps.position(),
    ...(map === undefined ? {} : { digest: digestOfMap(map), sections: sectionsOf(map) }),
    facts,
    flags,
    hostKeys: [...hostKeys],
    direct: [...direct],
    nextAuditSeq: spool.nextUnacknowledged,
  };
}
