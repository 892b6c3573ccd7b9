/**
 * Earlier agents that still serve their last sessions, as the running agent sees them. It stores their
 * evidence and sends them maps, flags and orders.
 *
 * @module
 */
import type { AuditSink } from "../../audit/sink.ts";
import { isQfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { AgentFlagsStored } from "../../wire/agent-state-file.ts";
import type { AgentMessage, LiveSession, ManagementMessage } from "../../wire/agent-sync.ts";
import type { HandoverAnswer, HandoverRequest, TakenHello } from "../../wire/handover.ts";
import type { MapHolder } from "../control-link/map-holder.ts";
import type { LineSocket } from "./line-socket.ts";

/** How often predecessors are told the map's age. */
const AGE_MS = 500;
/** How long a stop waits for their sessions to end. */
const END_MS_MAX = 5_000;

export interface PredecessorsOptions {
  readonly log: Log;
  readonly maps: MapHolder;
  readonly audit: AuditSink;
  flags(): AgentFlagsStored;
  /** One of them has accepted a hello. */
  onHello(hello: TakenHello): void;
  /** Passes a message on to management. */
  ask(message: AgentMessage): void;
}

interface Predecessor {
  readonly pid: number;
  sessions: LiveSession[];
}

export class Predecessors {
  readonly #options: PredecessorsOptions;
  readonly #all = new Map<LineSocket, Predecessor>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;

  constructor(options: PredecessorsOptions) {
    this.#options = options;
    this.#stopListening = options.maps.onChange(() => this.#sayAll(this.#map()));
    this.#timer = setInterval(() => {
      if (this.#all.size > 0) this.#sayAll({ is: "age", ageSeconds: this.#ageSeconds() });
    }, AGE_MS);
    this.#timer.unref();
  }

  get pids(): number[] {
    return [...this.#all.values()].map(({ pid }) => pid);
  }

  sessions(): LiveSession[] {
    return [...this.#all.values()].flatMap(({ sessions }) => sessions);
  }

  /** Takes a request from one of them. The first must be `drain`. */
  take(lines: LineSocket, request: HandoverRequest): void {
    if (request.do === "drain") this.#add(lines, request);
    const one = this.#all.get(lines);
    if (one === undefined) {
      lines.close();
      return;
    }
    switch (request.do) {
      case "drain":
        break;
      case "record":
        void this.#record(lines, request);
        break;
      case "sessions":
        one.sessions = request.sessions;
        break;
      case "hello":
        this.#options.onHello(request.hello);
        break;
      case "ask":
        this.#options.ask(request.message);
        break;
      case "take_over":
      case "descriptor":
        lines.close();
    }
  }

  remove(lines: LineSocket): void {
    const one = this.#all.get(lines);
    if (one === undefined) return;
    this.#all.delete(lines);
    this.#options.log.info("an earlier agent has ended", { pid: one.pid });
  }

  kill(connectionId: string, reason: string): boolean {
    const one = [...this.#all].find(([, { sessions }]) =>
      sessions.some((session) => session.connectionId === connectionId),
    );
    if (one === undefined) return false;
    say(one[0], { is: "kill", connectionId, reason });
    return true;
  }

  flagsChanged(): void {
    this.#sayAll({ is: "flags", flags: this.#flags() });
  }

  /**
   * The flags that concern sessions. An earlier build ends its sessions when it meets a flag that it does not
   * know.
   */
  #flags(): AgentFlagsStored {
    const { managedUpgrades: _, ...flags } = this.#options.flags();
    return flags;
  }

  /** Passes on an answer of management that may belong to one of them. */
  told(message: ManagementMessage): void {
    this.#sayAll({ is: "told", message });
  }

  /** Ends their sessions. Resolves when they are gone, or after `timeoutMs`. */
  async end(timeoutMs = END_MS_MAX): Promise<void> {
    this.#sayAll({ is: "end" });
    for (let waitedMs = 0; this.#all.size > 0 && waitedMs < timeoutMs; waitedMs += 20) await Bun.sleep(20);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopListening();
    for (const lines of [...this.#all.keys()]) lines.close();
    this.#all.clear();
  }

  #add(lines: LineSocket, { pid, epoch, version }: Extract<HandoverRequest, { do: "drain" }>): void {
    this.#all.set(lines, { pid, sessions: [] });
    this.#options.log.info("an earlier agent serves its last sessions", { pid });
    say(lines, { is: "flags", flags: this.#flags() });
    const own = this.#options.maps.position();
    if (own.version !== version || own.epoch !== epoch) say(lines, this.#map());
  }

  async #record(lines: LineSocket, { id, body }: Extract<HandoverRequest, { do: "record" }>): Promise<void> {
    try {
      await this.#options.audit.record(body);
      say(lines, { is: "recorded", id, code: null });
    } catch (cause) {
      say(lines, { is: "recorded", id, code: isQfError(cause) ? cause.code : "ERR_UNAVAILABLE" });
    }
  }

  #map(): HandoverAnswer {
    const map = this.#options.maps.snapshot()?.map ?? null;
    return { is: "map", map, ageSeconds: this.#ageSeconds() };
  }

  /** The map's age, capped: JSON has no infinity. */
  #ageSeconds(): number {
    return Math.min(this.#options.maps.ageSeconds(), Number.MAX_SAFE_INTEGER);
  }

  #sayAll(answer: HandoverAnswer): void {
    for (const lines of this.#all.keys()) say(lines, answer);
  }
}

function say(lines: LineSocket, answer: HandoverAnswer): void {
  lines.send(answer);
}
