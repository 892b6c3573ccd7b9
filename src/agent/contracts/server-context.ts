/**
 * The interface between an agent and its SSH server, both ways: what the server may learn from the agent
 * (`ServerContext`: map, flags, audit), and what the agent may ask of the server (`SshServer`).
 *
 * Built by `agent-context.ts` and `ssh-server/server.ts`. Tests fake both.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { AuditSink } from "../../audit/sink.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { MachineFlags } from "../../policy/decide/request.ts";
import type { PolicySnapshot } from "../../policy/decide/snapshot.ts";
import type { HostKeyFile, HostKeyType } from "../../wire/agent-state-file.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";
import type { PublicJwk } from "../../wire/network-map.ts";
import type { EpochSeconds } from "../../wire/units.ts";
import type { Approvals } from "./approvals.ts";
import type { Limits } from "./limits.ts";
import type { Penalties } from "./penalties.ts";
import type { Recorder } from "./recorder.ts";
import type { StreamOrigin } from "./stream-origin.ts";

/** Read again for each decision, so that a change applies at once. */
export interface ServerContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditSink;
  readonly hostKeys: HostKeyFile["keys"];
  /** The map prepared for decisions. Null before the first map: then everything is refused. */
  snapshot(): PolicySnapshot | null;
  /** Seconds since management last confirmed the map. Infinite: never. */
  mapAgeSeconds(): number;
  /**
   * Management's time in seconds. Null: never received. Approvals and memberships end by the later of this
   * and the machine's clock. Absent: only the machine's clock counts.
   */
  managementSeconds?(): EpochSeconds | null;
  /** Resolves once the map has `version` or later, or after `timeoutMs`. Never rejects. */
  waitForMapVersion(version: number, timeoutMs: number): Promise<void>;
  /** What the machine's start-up flags allow. */
  machineFlags(): MachineFlags;
  /** False with --disable-ssh-auth: device keys sign in instead of certificates. */
  sshAuth(): boolean;
  /**
   * The pinned issuer, its audiences, and its keys as this machine fetched them. Null: no
   * --require-idp-binding.
   */
  pinned(): {
    readonly issuer: string;
    readonly audiences: readonly string[];
    readonly keys: readonly PublicJwk[];
  } | null;
  /** Fetches the pinned issuer's keys again, at most once in 30 s. Never rejects. */
  refreshPinned(): Promise<void>;
  /**
   * Whether a login key may sign its own certificate. `off`: no --allow-offline-logins. `taken`: the control
   * link is down, and has been tried since the agent started. `waiting`: any other time.
   */
  offlineLogins(): "off" | "waiting" | "taken";
  /** Whether clients without a hello are served (`--plain-ssh-listen`). */
  takesPlain(): boolean;
  /** Host key types to offer, if the machine has them. */
  hostKeyTypes(): readonly HostKeyType[];
  /** Limits on clients, from the machine's flags. */
  limits(): Limits;
  /** Penalties of sources that failed on any port of this agent. */
  readonly penalties: Penalties;
  /** Has a person approve the sign-in of a client without a certificate. Null: not available. */
  readonly approvals: Approvals | null;
  /** Records sessions. Absent: recording is not possible. */
  readonly recorder?: Recorder;
  /** Shown to everyone who signs in, because management would not report it. Null: nothing. */
  notice?(): string | null;
}

export interface SshServer {
  /**
   * Takes over `stream`, whose next byte is the first of SSH. Never throws. Destroys a stream it does not
   * serve.
   */
  accept(stream: Duplex, origin: StreamOrigin): void;
  /** Whether there are no connections and no programs left from earlier ones. */
  isIdle(): boolean;
  /** Live sessions, for `status` and management. */
  sessions(): LiveSession[];
  /** Call it when map or flags change. Ends each connection that is no longer allowed, and says why. */
  recheck(): void;
  /** Ends one connection whole and shows `reason` to the person. False: no such connection. */
  kill(connectionId: string, reason: string): boolean;
  /** Ends all connections. Resolves when nothing of them is left. */
  close(): Promise<void>;
}
