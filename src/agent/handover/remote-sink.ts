/**
 * The audit sink of an agent that only serves its last sessions. The running agent stores its events.
 *
 * Without a running agent, an event waits for a bounded time. Then it is refused, and so is the action that
 * it was to permit. Callers that record ends retry them.
 *
 * @module
 */
import type { AuditSink } from "../../audit/sink.ts";
import { FAILURES, type FailureCode, QfError } from "../../base/errors.ts";
import type { AgentEventBody } from "../../wire/audit-event.ts";

/** An agent's audit sink: its own spool at first, its successor's after a handover. */
export interface SwitchableSink extends AuditSink {
  /** Sends events to `sink` from now on. */
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
  /** A running agent is connected: sends the waiting events. */
  attach(send: Send): void;
  /** The running agent is gone. Events without its answer count as not stored. */
  detach(): void;
  /** Takes its answer. Null: stored. Otherwise the code of a failure. */
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
