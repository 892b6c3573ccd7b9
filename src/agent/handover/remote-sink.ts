/**
 * Evidence of an agent that only serves its last sessions: it is stored by the agent that runs now.
 *
 * What comes while there is none waits for a bounded time; then it is refused, and with it what it was to
 * permit. Ends are tried again by those who record them.
 *
 * @module
 */
import type { AuditSink } from "../../audit/sink.ts";
import { FAILURES, type FailureCode, QfError } from "../../base/errors.ts";
import type { AgentEventBody } from "../../wire/audit-event.ts";

/** The evidence of an agent: to its own spool or, once that is its successor's, to that one. */
export interface SwitchableSink extends AuditSink {
  /** From now on to `sink`. */
  switchTo(sink: AuditSink): void;
}

export function createSwitchableSink(first: AuditSink): SwitchableSink {
  let sink = first;
  return {
    record: (body: AgentEventBody) => sink.record(body),
    switchTo(next) {
      sink = next;
    },
  };
}

/** Events that may wait at once. */
const WAITING_MAX = 4_096;
/** Longest wait for one event to be stored. */
const STORED_MS_MAX = 15_000;

type Send = (record: { do: "record"; id: number; body: AgentEventBody }) => void;

interface Waiting {
  readonly body: AgentEventBody;
  isSent: boolean;
  settle(code: string | null): void;
}

export interface RemoteSink extends AuditSink {
  /** There is an agent to store them: sends what waits. */
  attach(send: Send): void;
  /** It is gone. What it has not answered counts as not stored. */
  detach(): void;
  /** Its answer: null, stored; else the code of a failure. */
  recorded(id: number, code: string | null): void;
}

export function createRemoteSink(storedMsMax = STORED_MS_MAX): RemoteSink {
  const waiting = new Map<number, Waiting>();
  let send: Send | null = null;
  let lastId = 0;

  function sendAll(): void {
    for (const [id, one] of waiting) {
      if (send === null || one.isSent) continue;
      one.isSent = true;
      send({ do: "record", id, body: one.body });
    }
  }

  return {
    record(body) {
      if (waiting.size >= WAITING_MAX) return Promise.reject(notStored("ERR_UNAVAILABLE"));
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => settle("ERR_UNAVAILABLE"), storedMsMax);
        const settle = (code: string | null): void => {
          clearTimeout(timer);
          waiting.delete(id);
          if (code === null) resolve();
          else reject(notStored(code));
        };
        waiting.set(id, { body, isSent: false, settle });
        sendAll();
      });
    },
    attach(next) {
      send = next;
      sendAll();
    },
    detach() {
      send = null;
      for (const one of [...waiting.values()]) if (one.isSent) one.settle("ERR_UNAVAILABLE");
    },
    recorded: (id, code) => waiting.get(id)?.settle(code),
  };
}

function notStored(code: string): QfError {
  const known: FailureCode = Object.hasOwn(FAILURES, code) ? (code as FailureCode) : "ERR_UNAVAILABLE";
  return new QfError(known, "the running agent has not stored an event of an earlier one");
}
