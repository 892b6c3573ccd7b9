/** A recorder over a management that takes what it is told to take, and requests to it. */
import { afterEach } from "bun:test";
import type {
  Recorder,
  RecordingEvidence,
  RecordingRequest,
  SessionRecording,
} from "../../src/agent/contracts/recorder.ts";
import { createRecorder, type RecorderOptions } from "../../src/agent/recording/recorder.ts";
import { systemClock } from "../../src/base/clock.ts";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { silentLog } from "../../src/base/log.ts";
import { anId } from "./policy.ts";
import { TakingManagement } from "./recording.ts";
import { tempFolder } from "./temp-folder.ts";

const opened: Recorder[] = [];
afterEach(async () => {
  for (const recorder of opened.splice(0)) await recorder.close();
});

/** Closed after the test, unless it is kept. */
export function aRecorder(change: Partial<RecorderOptions> = {}, { isKept = false } = {}) {
  const management = new TakingManagement();
  const recorder = createRecorder({
    clock: systemClock,
    log: silentLog,
    directory: tempFolder(),
    enrolled: { peerId: anId("web1"), accountId: anId("account"), origin: "http://127.0.0.1:1" } as never,
    deviceKey: generateEd25519(),
    recipients: () => [],
    send: management.send,
    // Two busy cores take their time. Who waits for it to pass says how long.
    headerMsMax: 30_000,
    ...change,
  });
  if (!isKept) opened.push(recorder);
  return { management, recorder };
}

/** Evidence that is stored, but for the events named in `refused`. */
export function anEvidence(refused: readonly string[] = []) {
  const events: [string, ...unknown[]][] = [];
  const note =
    (name: string) =>
    async (...values: unknown[]): Promise<boolean> => {
      events.push([name, ...values.slice(1)]);
      return !refused.includes(name);
    };
  const evidence: RecordingEvidence = {
    started: note("started"),
    chunks: note("chunks"),
    unechoed: note("unechoed"),
    ended: note("ended"),
  };
  return { events, evidence };
}

export function aRequest(change: Partial<RecordingRequest> = {}): RecordingRequest {
  return {
    connectionId: anId("connection"),
    sessionId: 0,
    userId: anId("alice"),
    localUser: "deploy",
    kind: "shell",
    mode: "best_effort",
    allInput: false,
    command: null,
    terminalType: "xterm-256color",
    size: { cols: 80, rows: 24 },
    evidence: anEvidence().evidence,
    ...change,
  };
}

export async function begun(recorder: Recorder, request: RecordingRequest): Promise<SessionRecording> {
  const recording = await recorder.open(request);
  if (recording === null) throw new Error("it was not begun");
  return recording;
}
