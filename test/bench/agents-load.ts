/**
 * A process full of simulated agents: for each a WebSocket of its own, the proof of its device key, its map
 * with every delta applied and acknowledged, a heartbeat, and the return after a loss as agents do it.
 * Nothing of the rest of an agent. Orders come as JSON lines on stdin, an answer to each goes to stdout.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { backoffMs, firstWaitMs } from "../../src/agent/control-link/backoff.ts";
import { type Ed25519Key, ed25519FromSeed, signEd25519 } from "../../src/base/ed25519.ts";
import { newId } from "../../src/base/random.ts";
import { applyDelta } from "../../src/policy/maps/map-delta.ts";
import {
  type AgentMessage,
  HEARTBEAT_MS,
  LINK_TIMEOUT_MS,
  ManagementMessage,
} from "../../src/wire/agent-sync.ts";
import { digestOfMap } from "../../src/wire/map-digest.ts";
import { differencesFrom, sectionsOf } from "../../src/wire/map-outline.ts";
import type { NetworkMap } from "../../src/wire/network-map.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";
import { AGENT_FACTS, AGENT_FLAGS, type SeededMachine } from "./agents-account.ts";

export interface AgentsOrder {
  readonly do: "start" | "counts" | "deltas";
  /** `start`: all of them come within this time. */
  readonly withinMs?: number;
}

/** What came since the last `counts` or `deltas`; moments are of the clock that all processes share. */
export interface AgentsAnswer {
  /** Agents with a map that is current. */
  readonly ready: number;
  readonly maps: number;
  readonly deltas: number;
  readonly currents: number;
  /** Attempts to connect, and those that ended before there was a map. */
  readonly attempts: number;
  readonly refused: number;
  /** Attempts that management answered with a time to come back at. */
  readonly turnedAway: number;
  /** Most agents between `welcome` and their first map at once. */
  readonly handshakesPeak: number;
  readonly needMaps: number;
  /** Characters of maps, deltas and what led to these, both ways. */
  readonly syncLength: number;
  /** Milliseconds; when each delta was applied, by `deltas` only. */
  readonly appliedMs: readonly number[];
  readonly mapBytes: number;
}

/** Milliseconds of a clock that is the same in all processes of this machine. */
export const sharedMs = (): number => performance.timeOrigin + performance.now();

interface Input {
  readonly url: string;
  readonly machines: readonly SeededMachine[];
}

const NONE = {
  maps: 0,
  deltas: 0,
  currents: 0,
  attempts: 0,
  refused: 0,
  turnedAway: 0,
  needMaps: 0,
  syncLength: 0,
};
const counts = { ...NONE, handshakesPeak: 0 };
let mapBytes = 0;
let appliedMs: number[] = [];
let handshakes = 0;
let ready = 0;

class Agent {
  readonly #peerId: string;
  readonly #key: Ed25519Key;
  readonly #url: string;
  readonly #bootId = newId();
  #socket: WebSocket | null = null;
  #map: NetworkMap | null = null;
  #isReady = false;
  #isAsked = false;
  #attempt = 0;
  #spreadMs = 0;
  #retryAfterMs: number | null = null;
  #heardMs = 0;

  constructor(machine: SeededMachine, url: string) {
    this.#peerId = machine.id;
    this.#key = ed25519FromSeed(machine.seed);
    this.#url = url;
  }

  connect(): void {
    counts.attempts += 1;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#heardMs = performance.now();
    socket.onmessage = ({ data }) => {
      this.#heardMs = performance.now();
      if (this.#socket === socket) this.#onMessage(String(data));
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.#lost();
    };
    socket.onerror = () => {};
  }

  beat(): void {
    if (this.#socket === null) return;
    if (performance.now() - this.#heardMs > LINK_TIMEOUT_MS) {
      const silent = this.#socket;
      this.#lost();
      silent.close();
    } else if (this.#isReady) this.#send({ type: "ping", sentMs: Date.now() });
  }

  #lost(): void {
    this.#socket = null;
    if (this.#isReady) {
      ready -= 1;
      this.#attempt = 0;
    } else counts.refused += 1;
    this.#isReady = false;
    this.#answered();
    setTimeout(() => this.connect(), this.#nextWaitMs());
  }

  /** As in `agent/control-link/sync-client.ts`. */
  #nextWaitMs(): number {
    const told = this.#retryAfterMs;
    this.#retryAfterMs = null;
    if (told !== null) return Math.max(told, firstWaitMs(0, Math.random()));
    const attempt = this.#attempt;
    this.#attempt += 1;
    return attempt === 0 ? firstWaitMs(this.#spreadMs, Math.random()) : backoffMs(attempt, Math.random());
  }

  #send(message: AgentMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #onMessage(text: string): void {
    const message = ManagementMessage.parse(JSON.parse(text));
    if (message.type === "welcome") this.#identify(message);
    else if (message.type === "pong") this.#spreadMs = message.spreadMs ?? 0;
    else if (message.type === "bye") {
      this.#retryAfterMs = message.retryAfterMs ?? null;
      if (this.#retryAfterMs !== null) counts.turnedAway += 1;
      if (!message.retry) throw new Error(`sent away for good: ${message.message}`);
    } else if (message.type === "outline") this.#compare(message, text.length);
    else if (message.type === "map" || message.type === "delta" || message.type === "current") {
      this.#onMap(message, text.length);
    }
  }

  #compare({ outline }: Extract<ManagementMessage, { type: "outline" }>, length: number): void {
    const differences = this.#map === null ? null : differencesFrom(this.#map, outline);
    if (differences === null) throw new Error("asked by an outline that leads nowhere");
    const answer = { type: "differences" as const, differences };
    counts.syncLength += length + JSON.stringify(answer).length;
    this.#send(answer);
  }

  #onMap(message: Extract<ManagementMessage, { type: "map" | "delta" | "current" }>, length: number): void {
    counts.syncLength += length;
    if (message.type === "map") {
      counts.maps += 1;
      mapBytes = length;
      this.#map = message.map;
    } else if (message.type === "delta") {
      const next = this.#map === null ? null : applyDelta(this.#map, message.delta);
      if (next === null || digestOfMap(next) !== message.digest) {
        counts.needMaps += 1;
        this.#send({ type: "need_map" });
        return;
      }
      counts.deltas += 1;
      this.#map = next;
      appliedMs.push(sharedMs());
    } else {
      if (message.version !== this.#map?.version) throw new Error("current, but of another version");
      counts.currents += 1;
    }
    this.#took();
  }

  #identify(welcome: Extract<ManagementMessage, { type: "welcome" }>): void {
    this.#isAsked = true;
    handshakes += 1;
    counts.handshakesPeak = Math.max(counts.handshakesPeak, handshakes);
    const { challenge, accountId, origin } = welcome;
    const peerId = this.#peerId;
    const bytes = signedBytes("sync", { accountId, origin }, { challenge, peerId, bootId: this.#bootId });
    this.#send({
      type: "identify",
      protocolVersion: 1,
      peerId,
      bootId: this.#bootId,
      signature: signEd25519(this.#key, bytes),
      epoch: this.#map?.epoch ?? 0,
      version: this.#map?.version ?? 0,
      ...(this.#map === null ? {} : { digest: digestOfMap(this.#map), sections: sectionsOf(this.#map) }),
      facts: AGENT_FACTS,
      flags: AGENT_FLAGS,
      hostKeys: ["AAAA"],
      direct: [],
      nextAuditSeq: 1,
    });
  }

  #took(): void {
    this.#answered();
    this.#send({ type: "ack", version: this.#map?.version ?? 1 });
    if (this.#isReady) return;
    this.#isReady = true;
    ready += 1;
  }

  #answered(): void {
    if (this.#isAsked) handshakes -= 1;
    this.#isAsked = false;
  }
}

/**
 * Beats of all agents, spread evenly over the interval, by one timer. By the time that has passed: a process
 * that is kept waiting for a processor catches up, where that many agents of their own would not be late.
 */
function startBeating(agents: readonly Agent[]): void {
  const steps = 100;
  const startMs = performance.now();
  let step = 0;
  setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) * steps) / HEARTBEAT_MS);
    // No agent twice at once, however late it is.
    for (step = Math.max(step, due - steps); step < due; step++) {
      for (let i = step % steps; i < agents.length; i += steps) agents[i]?.beat();
    }
  }, HEARTBEAT_MS / steps);
}

function answer(): AgentsAnswer {
  const said = { ready, ...counts, appliedMs, mapBytes };
  appliedMs = [];
  Object.assign(counts, NONE, { handshakesPeak: handshakes });
  return said;
}

async function main(file: string): Promise<void> {
  const { url, machines } = JSON.parse(readFileSync(file, "utf8")) as Input;
  const agents = machines.map((machine) => new Agent(machine, `${url.replace("http", "ws")}/agent/v1/sync`));
  startBeating(agents);
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as AgentsOrder;
    if (order.do === "start") {
      for (const agent of agents) setTimeout(() => agent.connect(), Math.random() * (order.withinMs ?? 0));
      process.stdout.write("{}\n");
    } else if (order.do === "counts") {
      process.stdout.write(`${JSON.stringify({ ready, ...counts, appliedMs: [], mapBytes })}\n`);
    } else process.stdout.write(`${JSON.stringify(answer())}\n`);
  }
}

if (import.meta.main) await main(process.argv[2] ?? "");
