/**
 * Reports live sessions to management whenever they differ from the last report.
 *
 * @module
 */
import type { AgentMessage, LiveSession } from "../../wire/agent-sync.ts";
import { reportedSessions } from "./reported-sessions.ts";

/** How often live sessions are compared with the last report. */
const SESSIONS_MS = 1_000;

export class SessionReporter {
  readonly #sessions: () => readonly LiveSession[];
  #told = "[]";
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(sessions: () => readonly LiveSession[]) {
    this.#sessions = sessions;
  }

  /** The link is up: reports now and at each change. */
  start(send: (message: AgentMessage) => void): void {
    this.#tell(send);
    this.#timer = setInterval(() => this.#tell(send), SESSIONS_MS);
  }

  /** The link is down. The next link gets a full report. */
  stop(): void {
    clearInterval(this.#timer);
    this.#told = "[]";
  }

  #tell(send: (message: AgentMessage) => void): void {
    const sessions = reportedSessions(this.#sessions());
    const text = JSON.stringify(sessions);
    if (text === this.#told) return;
    this.#told = text;
    send({ type: "sessions", sessions });
  }
}
