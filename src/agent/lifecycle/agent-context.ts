/**
 * The `ServerContext` of a running agent: what its SSH server may know, read from the parts concerned.
 *
 * @module
 */
import type { AuditSink } from "../../audit/sink.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { machineFlagsOf } from "../../policy/decide/request.ts";
import type { AgentFlagsStored, HostKeyFile, HostKeyType } from "../../wire/agent-state-file.ts";
import type { Approvals } from "../contracts/approvals.ts";
import { type Limits, limitsOf } from "../contracts/limits.ts";
import type { Penalties } from "../contracts/penalties.ts";
import type { Recorder } from "../contracts/recorder.ts";
import type { ServerContext } from "../contracts/server-context.ts";
import type { MapHolder } from "../control-link/map-holder.ts";
import type { PinnedKeys } from "../control-link/pinned-keys.ts";
import { isLinkDown, type SyncClient } from "../control-link/sync-client.ts";
import { pinnedAudiences } from "./pins.ts";

/** The ECDSA key is offered only where configured, for clients without Ed25519. */
const DEFAULT_HOST_KEY_TYPES: readonly HostKeyType[] = ["ssh-ed25519"];

export interface ServerContextParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditSink;
  readonly hostKeys: HostKeyFile["keys"];
  readonly maps: MapHolder;
  readonly approvals: Approvals;
  readonly pinnedKeys: PinnedKeys;
  readonly penalties: Penalties;
  readonly recorder: Recorder;
  readonly privileged: boolean;
  readonly ownUser: string;
  flags(): AgentFlagsStored;
  /** Undefined: not started yet. */
  sync(): SyncClient | undefined;
  /** Shown to everyone who signs in. Null: nothing. */
  notice(): string | null;
}

export function createServerContext(parts: ServerContextParts): ServerContext {
  const { clock, log, audit, hostKeys, maps, approvals, penalties, privileged, ownUser, flags } = parts;
  let known: { flags: AgentFlagsStored; limits: Limits } | null = null;
  return {
    clock,
    log,
    audit,
    hostKeys,
    approvals,
    penalties,
    hostKeyTypes: () => {
      const { sshHostKeyAlgorithms: chosen = [] } = flags();
      return chosen.length === 0 ? DEFAULT_HOST_KEY_TYPES : chosen;
    },
    limits: () => {
      const now = flags();
      if (known?.flags !== now) known = { flags: now, limits: limitsOf(now) };
      return known.limits;
    },
    notice: () => parts.notice(),
    snapshot: () => maps.snapshot(),
    mapAgeSeconds: () => maps.ageSeconds(),
    managementSeconds: () => {
      const now = parts.sync()?.managementNowMs() ?? null;
      return now === null ? null : Math.floor(now / 1000);
    },
    waitForMapVersion: (version, timeoutMs) => maps.waitForVersion(version, timeoutMs),
    recorder: parts.recorder,
    // Whether management accepts recordings now only shows when a session begins.
    machineFlags: () => machineFlagsOf(flags(), { privileged, ownUser, recording: true }),
    sshAuth: () => flags().sshAuth,
    takesPlain: () => flags().plainSshListen !== null,
    pinned: () => {
      const { requireIdpBinding, pinIssuer, pinAudience } = flags();
      if (!requireIdpBinding) return null;
      // Contradictory flags are rejected on input. If they get here anyway, nothing may pass.
      const issuer = pinIssuer ?? "";
      return { issuer, audiences: pinnedAudiences(pinAudience), keys: parts.pinnedKeys.keysOf(issuer) };
    },
    offlineLogins: () => {
      if (!flags().offlineLogins) return "off";
      return isLinkDown(parts.sync()?.state()) ? "taken" : "waiting";
    },
    refreshPinned: () => parts.pinnedKeys.refresh(flags().pinIssuer ?? ""),
  };
}
