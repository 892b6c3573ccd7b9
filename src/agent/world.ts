/**
 * What the SSH server knows of the agent around it: the current map, the flags, where evidence goes.
 * The one door between `agent/run.ts` and `agent/ssh-server/`.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { AuditSink } from "../audit/sink.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { MachineFlags } from "../policy/request.ts";
import type { PolicySnapshot } from "../policy/snapshot.ts";
import type { HostKeyFile, HostKeyType } from "../wire/agent-state-file.ts";
import type { LiveSession } from "../wire/agent-sync.ts";
import type { PublicJwk } from "../wire/network-map.ts";
import type { PeerId } from "../wire/units.ts";
import type { Approvals } from "./approvals.ts";
import type { Penalties } from "./penalties.ts";
import type { Limits } from "./ssh-server/limits.ts";

/** Read anew for every decision, so a change counts at once. */
export interface World {
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditSink;
  readonly hostKeys: HostKeyFile["keys"];
  /** The map decided from, prepared. Null before the first map: everything is refused. */
  snapshot(): PolicySnapshot | null;
  /** Seconds since management last said the map was current. */
  mapAgeSeconds(): number;
  /** Resolves when the map has reached `version`, or after `timeoutMs`, whichever is first. */
  waitForMapVersion(version: number, timeoutMs: number): Promise<void>;
  machineFlags(): MachineFlags;
  /** False with --disable-ssh-auth: device keys sign in, certificates do not. */
  sshAuth(): boolean;
  /** With --require-idp-binding: the pinned issuer, its keys as this machine fetched them, and audience. Null otherwise. */
  pinned(): {
    readonly issuer: string;
    readonly audience: string;
    readonly keys: readonly PublicJwk[];
  } | null;
  /** Fetches the pinned issuer's keys anew, at most once in half a minute. Never rejects. */
  refreshPinned(): Promise<void>;
  /**
   * Whether a login key may sign for itself: `off` without --allow-offline-logins; `taken` only while the
   * control link is down and has been tried since the agent started; `waiting` while it is up.
   */
  offlineLogins(): "off" | "waiting" | "taken";
  /** Whether clients that bring no hello are taken at all (`--plain-ssh-listen`). */
  takesPlain(): boolean;
  /** Types of host key that are offered, of those that the machine has. */
  hostKeyTypes(): readonly HostKeyType[];
  /** What anybody may take of the machine, by its flags. */
  limits(): Limits;
  /** Sources that have to wait, of every port of this agent. */
  readonly penalties: Penalties;
  /** Lets people approve sign-ins of clients without a certificate. Null: nobody is asked. */
  readonly approvals: Approvals | null;
}

/** How a stream came in. */
export interface StreamOrigin {
  readonly path: "direct" | "relay" | "plain" | "stdio";
  /** Address of the other end, for people and audit. */
  readonly sourceAddress: string;
  readonly sourcePort: number;
  /** Local address it arrived at, for SSH_CONNECTION. */
  readonly localAddress: string;
  readonly localPort: number;
  /** The device a checked hello proved. Null where there was none (`plain`, `stdio`). */
  readonly sourcePeerId: PeerId | null;
}

export interface SshServer {
  /** Takes over `stream`; SSH begins with its next byte. Never throws. */
  accept(stream: Duplex, origin: StreamOrigin): void;
  /** Live sessions, for `status` and management. */
  sessions(): LiveSession[];
  /** Map or flags changed: ends every connection that is no longer allowed, whole, with the reason. */
  recheck(): void;
  /** Ends one connection. False when there is none. */
  kill(connectionId: string, reason: string): boolean;
  /** Ends all and waits until nothing of them is left. */
  close(): Promise<void>;
}
