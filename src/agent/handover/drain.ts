/**
 * The last sessions of an agent whose successor is already running. They are served to their end, for at most
 * 24 hours.
 *
 * The successor owns everything but the sessions: it stores their evidence, and sends maps, flags and orders
 * to end a session. Without a successor for a minute, the sessions end.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { AgentFlagsStored } from "../../wire/agent-state-file.ts";
import { HandoverAnswer, type HandoverRequest } from "../../wire/handover.ts";
import type { NetworkMap } from "../../wire/network-map.ts";
import type { SshServer } from "../contracts/server-context.ts";
import type { ApprovalLink } from "../control-link/approvals.ts";
import type { MapHolder } from "../control-link/map-holder.ts";
import { LineSocket } from "./line-socket.ts";
import type { RemoteSink } from "./remote-sink.ts";

/** How long an agent waits for an announced successor, and how long sessions last without one. */
export const FOLLOWED_MS_MAX = 60_000;
/** Longest that sessions continue under a replaced agent. */
const DRAIN_MS_MAX = 24 * 3_600_000;
/** Sessions are checked twice in this time: whether they changed, and whether they have ended. */
const LOOK_MS = 200;
/** Hellos kept until there is a successor to report them to. */
const UNTOLD_MAX = 4_096;
/**
 * First wait before another attempt to reach a successor. It doubles each time, up to RETRY_MS_MAX. Until
 * then nothing tells these sessions of a changed policy, which must reach them within a second.
 */
const RETRY_MS = 100;
const RETRY_MS_MAX = 400;
/** How long a successor may take to answer on an open connection. */
const ANSWER_MS_MAX = 5_000;

export interface DrainOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Path of the run socket. */
  readonly path: string;
  readonly ssh: SshServer;
  readonly maps: MapHolder;
  readonly sink: RemoteSink;
  readonly approvals: ApprovalLink;
  /** The machine's flags changed. */
  onFlags(flags: AgentFlagsStored): void;
  /** The first successor has answered. */
  onFollowed(): void;
}

/** What a successor is told besides evidence. */
export type Told = Extract<HandoverRequest, { do: "hello" }>;

export class Drain {
  readonly #options: DrainOptions;
  #lines: LineSocket | null = null;
  #isConnecting = false;
  /** A connection that is open but not answered yet. */
  #asked: LineSocket | null = null;
  /** Attempts since a successor last answered. */
  #attempts = 0;
  /** The last report of sessions. */
  #told = "";
  readonly #untold: Told[] = [];
  readonly #startedMs: number;
  #connectedMs: number;
  #isFollowed = false;
  #isEnding = false;
  readonly #timer: NodeJS.Timeout;
  #retriedMs = 0;
  #resolveEnded: () => void = () => {};
  /** Resolves when no session is left. */
  readonly ended = new Promise<void>((resolve) => {
    this.#resolveEnded = resolve;
  });

  constructor(options: DrainOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    this.#connectedMs = this.#startedMs;
    this.#timer = setInterval(() => this.#look(), LOOK_MS / 2);
    this.#connect();
  }

  /** Tells the running agent. Messages wait until there is one. */
  tell(told: Told): void {
    if (this.#lines !== null) this.#lines.send(told);
    else if (this.#untold.length < UNTOLD_MAX) this.#untold.push(told);
  }

  /** Ends the sessions. */
  async end(): Promise<void> {
    if (this.#isEnding) return await this.ended;
    this.#isEnding = true;
    await this.#options.ssh.close();
    this.#finish();
  }

  #look(): void {
    const { clock, ssh, log } = this.#options;
    if (this.#isEnding) return;
    const nowMs = clock.monotonicMs();
    if (this.#lines !== null) {
      this.#connectedMs = nowMs;
      this.#tellSessions(this.#lines);
      if (ssh.isIdle()) void this.end();
    } else if (nowMs - this.#retriedMs >= this.#retryMs()) this.#connect();
    const why =
      nowMs - this.#startedMs > DRAIN_MS_MAX
        ? "they have gone on for a day"
        : nowMs - this.#connectedMs > FOLLOWED_MS_MAX
          ? "no agent follows"
          : null;
    if (why === null) return;
    log.warn("the last sessions of an earlier agent end", { why });
    void this.end();
  }

  #retryMs(): number {
    if (this.#asked !== null) return ANSWER_MS_MAX;
    return Math.min(RETRY_MS * 2 ** Math.max(0, this.#attempts - 1), RETRY_MS_MAX);
  }

  #finish(): void {
    clearInterval(this.#timer);
    this.#asked?.close();
    this.#lines?.close();
    this.#resolveEnded();
  }

  #tellSessions(lines: LineSocket): void {
    const sessions = this.#options.ssh.sessions();
    const text = JSON.stringify(sessions);
    if (text === this.#told) return;
    this.#told = text;
    lines.send({ do: "sessions", sessions } satisfies HandoverRequest);
  }

  #connect(): void {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    this.#attempts += 1;
    this.#asked?.close();
    this.#asked = null;
    this.#retriedMs = this.#options.clock.monotonicMs();
    let lines: LineSocket | null = null;
    Bun.connect({
      unix: this.#options.path,
      socket: {
        open: (socket) => {
          lines = new LineSocket(socket);
          this.#onOpen(lines);
        },
        data: (_socket, chunk) => {
          if (lines === null) return;
          if (this.#lines === null) this.#onAnswering(lines);
          for (const value of lines.take(chunk)) this.#take(value);
        },
        drain: () => lines?.flush(),
        close: () => this.#onGone(lines),
        error: () => this.#onGone(lines),
      },
    })
      .catch(() => {})
      .finally(() => {
        this.#isConnecting = false;
      });
  }

  #onOpen(lines: LineSocket): void {
    this.#asked = lines;
    const { epoch, version } = this.#options.maps.position();
    lines.send({ do: "drain", pid: process.pid, epoch, version } satisfies HandoverRequest);
  }

  /** The successor has answered, so it serves. */
  #onAnswering(lines: LineSocket): void {
    const { sink, approvals, onFollowed } = this.#options;
    this.#lines = lines;
    this.#asked = null;
    this.#attempts = 0;
    this.#told = "";
    for (const told of this.#untold.splice(0)) lines.send(told);
    sink.attach((record) => lines.send(record));
    approvals.attach((message) => lines.send({ do: "ask", message } satisfies HandoverRequest));
    if (!this.#isFollowed) onFollowed();
    this.#isFollowed = true;
  }

  #onGone(lines: LineSocket | null): void {
    if (this.#asked === lines) this.#asked = null;
    if (lines === null || this.#lines !== lines) return;
    this.#lines = null;
    this.#options.sink.detach();
    this.#options.approvals.detach();
  }

  /** Takes the running agent's map. A refused map could be a restriction, so the sessions end. */
  async #useMap(map: NetworkMap | null, ageSeconds: number): Promise<void> {
    const { maps, log } = this.#options;
    if (map === null) return await maps.clear();
    const refusal = await maps.replace(map);
    if (refusal === null) return maps.confirm(ageSeconds);
    log.error("the running agent has a map that this one refuses", { refusal });
    await this.end();
  }

  #take(value: unknown): void {
    const { maps, ssh, sink, approvals, onFlags, log } = this.#options;
    const parsed = HandoverAnswer.safeParse(value);
    if (!parsed.success) {
      // An order or a restriction that this build cannot read must not be ignored.
      log.error("the running agent says what this build cannot read", {}, parsed.error);
      void this.end();
      return;
    }
    const answer = parsed.data;
    switch (answer.is) {
      case "recorded":
        sink.recorded(answer.id, answer.code);
        break;
      case "map":
        void this.#useMap(answer.map, answer.ageSeconds);
        break;
      case "age":
        maps.confirm(answer.ageSeconds);
        break;
      case "flags":
        onFlags(answer.flags);
        break;
      case "kill":
        ssh.kill(answer.connectionId, answer.reason);
        break;
      case "told":
        if ("requestId" in answer.message) approvals.take(answer.message);
        break;
      case "end":
        void this.end();
        break;
      case "inheritance":
      case "refused":
        break;
    }
  }
}
