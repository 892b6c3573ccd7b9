/**
 * The last sessions of an agent whose successor runs already: served to their end, for at most 24 hours.
 *
 * Everything but the sessions themselves is the successor's: evidence is stored there, and maps, flags and
 * orders to end something come from there. Without a successor for a minute the sessions end.
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

/** Longest that an agent waits for a successor that was announced, and sessions for an agent that follows. */
export const FOLLOWED_MS_MAX = 60_000;
/** Longest that sessions go on under an agent that was replaced. */
const DRAIN_MS_MAX = 24 * 3_600_000;
/** How often it is looked whether sessions changed, or are over. */
const LOOK_MS = 200;
/** Hellos that are taken until a successor is there. */
const UNTOLD_MAX = 4_096;
/**
 * How soon a successor is looked for again; twice as long each time, up to this. Until it is found nobody
 * tells these sessions of a changed policy, which has to reach them within a second.
 */
const RETRY_MS = 100;
const RETRY_MS_MAX = 400;
/** Longest that one which has opened the connection may take to answer. */
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
  /** Flags of the machine changed. */
  onFlags(flags: AgentFlagsStored): void;
  /** The first successor is there. */
  onFollowed(): void;
}

/** What a successor has to be told of beside evidence. */
export type Told = Extract<HandoverRequest, { do: "hello" }>;

export class Drain {
  readonly #options: DrainOptions;
  #lines: LineSocket | null = null;
  #isConnecting = false;
  /** Open, and not answered yet. */
  #asked: LineSocket | null = null;
  /** Attempts since a successor answered last. */
  #attempts = 0;
  /** What was told last of the sessions. */
  #told = "";
  readonly #untold: Told[] = [];
  readonly #startedMs: number;
  #connectedMs: number;
  #isFollowed = false;
  #isEnding = false;
  readonly #timer: NodeJS.Timeout;
  #retriedMs = 0;
  #resolveEnded: () => void = () => {};
  /** Resolves when nothing is served any more. */
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

  /** Tells the agent that runs; what comes before there is one waits. */
  tell(told: Told): void {
    if (this.#lines !== null) this.#lines.send(told);
    else if (this.#untold.length < UNTOLD_MAX) this.#untold.push(told);
  }

  /** Ends what is served. */
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

  /** It has answered, so it runs. */
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

  /** A map that is refused could be a restriction. */
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
      // An order or a restriction that cannot be read must not be passed over.
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
