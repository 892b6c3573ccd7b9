/**
 * The permission kernel with the world around it played: a map, flags and time that a test changes, evidence
 * that is stored when the test says so, and a connection that can be left, killed and revoked. Nothing of the
 * system.
 */
import type { ServerContext } from "../../src/agent/contracts/server-context.ts";
import type { StreamOrigin } from "../../src/agent/contracts/stream-origin.ts";
import type { Subject, Who } from "../../src/agent/ssh-server/authorize.ts";
import { ConnectionState } from "../../src/agent/ssh-server/connection-state.ts";
import type { Revocable } from "../../src/agent/ssh-server/permission.ts";
import { type ConnectionPermits, createPermitContext } from "../../src/agent/ssh-server/permit-context.ts";
import { recheck } from "../../src/agent/ssh-server/revoke.ts";
import { QfError } from "../../src/base/errors.ts";
import type { Log, LogFields } from "../../src/base/log.ts";
import type { MachineFlags } from "../../src/policy/decide/request.ts";
import { type PolicySnapshot, prepareSnapshot } from "../../src/policy/decide/snapshot.ts";
import type { AgentEventBody } from "../../src/wire/audit-event.ts";
import type { NetworkMap } from "../../src/wire/network-map.ts";
import type { SshCapabilities } from "../../src/wire/policy.ts";
import type { ReasonCode } from "../../src/wire/reason.ts";
import { FakeClock } from "./fake-clock.ts";
import { allFlags, aMap, anId, aPeer, aRule, aUser } from "./policy.ts";

/** A line of the log, as it was asked for. */
export interface Logged {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: LogFields;
}

/** A log that keeps what it is told. */
export function keepingLog(): { readonly log: Log; readonly lines: Logged[] } {
  const lines: Logged[] = [];
  const at =
    (level: keyof Log) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  return { log: { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") }, lines };
}

export const ALICE: Who = {
  kind: "user",
  userId: anId("alice"),
  issuer: "https://idp.example.com",
  subject: "alice",
  devicePeerId: anId("laptop"),
  authTimeSeconds: null,
  binding: "idp",
  loginId: "L".repeat(43),
};

/** How evidence is stored. */
export type Storing = "at once" | "when released" | "ERR_UNAVAILABLE" | "ERR_TOO_MANY";

export class KernelContext implements Revocable {
  readonly id = "c".repeat(20);
  readonly clock = new FakeClock();
  readonly lines: Logged[];
  readonly log: Log;
  readonly state: ConnectionState;
  /** What is stored, in order. */
  readonly events: AgentEventBody[] = [];
  readonly subject: Subject;
  readonly origin: StreamOrigin;
  map: NetworkMap;
  flags: MachineFlags = { ...allFlags, recording: false };
  mapAgeSeconds = 0;
  sshAuth = true;
  pinned: ReturnType<ServerContext["pinned"]> = null;
  offlineLogins: ReturnType<ServerContext["offlineLogins"]> = "off";
  takesPlain = true;
  limits: { idleMs: number | null; connectionMs: number | null } = { idleMs: null, connectionMs: null };
  storing: Storing = "at once";
  refusals = 0;
  /** Questions answered. */
  decisions = 0;
  permits: ConnectionPermits;
  lastActivityMs: number;
  revoked: Promise<void> | null = null;
  readonly closed: Promise<void>;
  /** What the person was told last. */
  said = "";
  /** Whether all processes, and all forwards, were ended. */
  killed = false;
  forwardsClosed = false;
  readonly containment = {
    killAll: async () => {
      this.killed = true;
      return true;
    },
  };
  readonly #held: (() => void)[] = [];
  #close: () => void = () => {};
  #snapshot: PolicySnapshot | null = null;

  constructor(
    change: { localUser?: string; localUid?: number; who?: Who; path?: StreamOrigin["path"] } = {},
  ) {
    const { log, lines } = keepingLog();
    this.log = log;
    this.lines = lines;
    this.state = new ConnectionState(this.id, log);
    this.map = aMap({
      users: [aUser("alice", ["devs"])],
      peers: [aPeer("laptop", ["devs"], { ownerUserId: anId("alice") })],
      rules: [aRule("rule", ["devs"], "full")],
    });
    this.subject = {
      who: change.who ?? ALICE,
      localUser: change.localUser ?? "deploy",
      localUid: change.localUid ?? 1_000,
    };
    this.origin = {
      ...{ path: change.path ?? "direct", sourceAddress: "203.0.113.7", sourcePort: 50_000 },
      ...{ localAddress: "192.0.2.1", localPort: 22_022, sourcePeerId: anId("laptop") },
    };
    this.lastActivityMs = this.clock.monotonicMs();
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    this.permits = this.permitsFor(this.subject);
  }

  /** As much of an agent as the kernel asks. */
  get serverContext(): ServerContext {
    const world = {
      ...{
        clock: this.clock,
        log: this.log,
        audit: { record: (body: AgentEventBody) => this.#record(body) },
      },
      snapshot: () => this.#preparedMap(),
      mapAgeSeconds: () => this.mapAgeSeconds,
      machineFlags: () => this.flags,
      sshAuth: () => this.sshAuth,
      pinned: () => this.pinned,
      offlineLogins: () => this.offlineLogins,
      takesPlain: () => this.takesPlain,
      limits: () => this.limits,
      waitForMapVersion: async () => {},
    };
    return world as unknown as ServerContext;
  }

  permitsFor(subject: Subject): ConnectionPermits {
    const { serverContext, origin, state, id } = this;
    const onRefusal = (): void => {
      this.refusals += 1;
    };
    const context = createPermitContext(
      { serverContext, origin, state, connectionId: id, onRefusal },
      subject,
    );
    this.permits = {
      ...context,
      endRetryMs: 1,
      authorize: (action) => {
        this.decisions += 1;
        return context.authorize(action);
      },
    };
    return this.permits;
  }

  /** The one rule, with other capabilities. */
  allow(capabilities: SshCapabilities): void {
    this.change((map) => ({
      ...map,
      rules: { [anId("rule")]: aRule("rule", ["devs"], "full", { capabilities }) },
    }));
  }

  /** Puts a changed map in force, as a push from management does. */
  change(change: (map: NetworkMap) => NetworkMap): void {
    this.map = change(this.map);
    recheck(this);
  }

  /** Somebody signs in, as far as the state is concerned. */
  open(): this {
    for (const step of ["try", "prove", "admit"] as const) this.state.take(step);
    return this;
  }

  /** The client is gone. */
  leave(): void {
    this.state.take("gone");
    this.#close();
  }

  /** Events that wait to be stored. */
  get held(): number {
    return this.#held.length;
  }

  /** Stores the oldest events that wait, or all of them. */
  release(count = this.#held.length): void {
    for (const store of this.#held.splice(0, count)) store();
  }

  sayLast(text: string): void {
    this.said = text;
    this.#close();
  }

  async closeForwards(): Promise<void> {
    this.forwardsClosed = true;
  }

  /** Reasons of the denials that are stored. */
  denials(): (ReasonCode | null)[] {
    return this.events.flatMap((event) =>
      event.type === "decision" && event.decision.outcome === "deny" ? [event.decision.reason] : [],
    );
  }

  /** Stored events in short: `decision allow`, `forward.open`. */
  story(): string[] {
    return this.events.map((event) =>
      event.type === "decision" ? `decision ${event.decision.outcome}` : event.type,
    );
  }

  async #record(body: AgentEventBody): Promise<void> {
    if (this.storing === "ERR_UNAVAILABLE" || this.storing === "ERR_TOO_MANY")
      throw new QfError(this.storing, "full");
    if (this.storing === "when released") {
      await new Promise<void>((resolve) => {
        this.#held.push(() => {
          this.events.push(body);
          resolve();
        });
      });
    } else this.events.push(body);
  }

  #preparedMap(): PolicySnapshot {
    if (this.#snapshot?.map !== this.map) this.#snapshot = prepareSnapshot(this.map);
    return this.#snapshot;
  }
}
