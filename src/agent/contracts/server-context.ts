/**
 * The door between an agent and its SSH server, both ways: what the server may know of the agent
 * (`ServerContext`: map, flags, where evidence goes), and what the agent may ask of the server (`SshServer`).
 *
 * `agent-context.ts` makes the one, `ssh-server/server.ts` the other; tests fake both.
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

/** Everything here is read anew for each decision, so that a change counts at once. */
export interface ServerContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditSink;
  readonly hostKeys: HostKeyFile["keys"];
  /** The map to decide from, prepared. Null before the first map: then everything is refused. */
  snapshot(): PolicySnapshot | null;
  /** Seconds since management last said that the map is current. Infinite when it never has. */
  mapAgeSeconds(): number;
  /**
   * The time by management's clock, in seconds; null when it never said. Ends of approvals and memberships
   * are judged by the later of this and the machine's clock. Absent: by the machine's clock alone.
   */
  managementSeconds?(): EpochSeconds | null;
  /** Resolves once the map has at least `version`, or after `timeoutMs`. Never rejects. */
  waitForMapVersion(version: number, timeoutMs: number): Promise<void>;
  /** What this machine was started to allow. */
  machineFlags(): MachineFlags;
  /** False with --disable-ssh-auth: device keys sign in, certificates do not. */
  sshAuth(): boolean;
  /**
   * The pinned issuer and audience, and its keys as this machine fetched them. Null: no
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
   * Whether a login key may sign for itself: `off` without --allow-offline-logins; `taken` only while the
   * control link is down and has been tried since the agent started; `waiting` while it is up.
   */
  offlineLogins(): "off" | "waiting" | "taken";
  /** Whether clients without a hello are served at all (`--plain-ssh-listen`). */
  takesPlain(): boolean;
  /** Types of host key to offer, of those that the machine has. */
  hostKeyTypes(): readonly HostKeyType[];
  /** What clients may use of the machine, by its flags. */
  limits(): Limits;
  /** Sources that have to wait for having failed, at any port of this agent. */
  readonly penalties: Penalties;
  /** Asks a person to approve the sign-in of a client without a certificate. Null: nobody is asked. */
  readonly approvals: Approvals | null;
  /** Records sessions. Absent: nothing can be recorded. */
  readonly recorder?: Recorder;
  /** What everybody who gets in is told, since management will not. Null: nothing. */
  notice?(): string | null;
}

export interface SshServer {
  /**
   * Takes `stream` over, whose next byte is SSH's first. Never throws; a stream that is not served is
   * destroyed.
   */
  accept(stream: Duplex, origin: StreamOrigin): void;
  /** Whether there is nobody here, and nothing that is left of those who were. */
  isIdle(): boolean;
  /** Live sessions, for `status` and management. */
  sessions(): LiveSession[];
  /** To be called when map or flags change: ends each connection that is no longer allowed, and says why. */
  recheck(): void;
  /** Ends one connection whole; `reason` is shown to the person. False: there is no such connection. */
  kill(connectionId: string, reason: string): boolean;
  /** Ends all connections. Resolves when nothing of them is left. */
  close(): Promise<void>;
}
