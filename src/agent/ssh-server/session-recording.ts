/**
 * The recording of a session by its grant: whether there is one, and what may not run without it.
 *
 * @module
 */
import { mayForwardAgent } from "../../policy/decide/capabilities.ts";
import { denialLine, UNENCRYPTED_HINT } from "../../policy/sentences.ts";
import type { Grant } from "../../wire/decision.ts";
import type { SshCapabilities } from "../../wire/policy.ts";
import type { RecordingEvidence, SessionRecording } from "../contracts/recorder.ts";
import type { Exit } from "../os/child-spec.ts";
import type { WindowSize } from "../os/pty.ts";
import type { Start } from "./command.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { refuse } from "./permit.ts";
import { recordedLines } from "./recorded-lines.ts";
import { endPrograms } from "./revoke.ts";
import type { SessionPermit } from "./session-program.ts";

/** Exit of a session that must be recorded and cannot be. */
const UNRECORDED: Exit = { status: 254, signal: null };
/** Shown to the person when the recording fails during the session. */
const CUT_LINE = "This session must be recorded and no longer can be; it has been ended";
/** Size without a terminal: the VT100's. */
const SIZE_DEFAULT = { cols: 80, rows: 24 };

interface RecordedSession {
  readonly sessionId: number;
  readonly start: Start;
  readonly terminal: { readonly type: string; readonly size: WindowSize } | null;
  say(line: string): void;
  /** Null: it is not recorded. */
  run(recording: SessionRecording | null): Promise<Exit>;
}

/**
 * Runs a session under its recording, if there is to be one. Nothing runs before the recording has begun. If
 * a required recording fails, every program of the connection ends.
 */
export async function runRecorded(
  context: ConnectionContext,
  permitted: SessionPermit,
  session: RecordedSession,
): Promise<Exit> {
  const { permits, containment, log, connectionId } = context;
  const { start, say } = session;
  const recording = await openSessionRecording(context, permitted, session);
  if (recording === "unavailable") {
    const denial = await refuse(permits, permits.deny("recording_unavailable", start));
    const isUnencrypted =
      keepsAllInput(permitted.grant.capabilities) && context.recorder?.encrypts() === false;
    say(isUnencrypted ? denialLine(denial.reason, denial.receipt, UNENCRYPTED_HINT) : denial.line);
    return UNRECORDED;
  }
  if (recording === null) return await session.run(null);
  for (const line of recordedLines(recording.facts)) say(line);
  if (recording.isRequired) context.onRequiredRecording();
  let exit: Exit = UNRECORDED;
  try {
    exit = await session.run(recording);
  } finally {
    await recording.end();
  }
  if (!recording.hasFailed) return exit;
  say(CUT_LINE);
  await endPrograms({ containment, log, id: connectionId });
  return UNRECORDED;
}

/** `null`: no recording is wanted, or an optional one failed. `unavailable`: a required one failed. */
async function openSessionRecording(
  context: ConnectionContext,
  permitted: SessionPermit,
  session: Pick<RecordedSession, "sessionId" | "start" | "terminal">,
): Promise<SessionRecording | null | "unavailable"> {
  const mode = recordOf(permitted.grant.capabilities);
  const { sessionId, start, terminal } = session;
  // Audit events already say what SFTP does, so a best-effort recording adds nothing.
  if (mode === "off" || (mode === "best_effort" && start.kind === "sftp")) return null;
  const { who, localUser } = context.auth;
  const opened = await context.recorder?.open({
    connectionId: context.connectionId,
    sessionId,
    userId: who.kind === "user" ? who.userId : null,
    localUser,
    kind: start.kind,
    mode,
    allInput: keepsAllInput(permitted.grant.capabilities),
    command: start.kind === "exec" ? start.command : null,
    terminalType: terminal?.type ?? null,
    size: terminal?.size ?? SIZE_DEFAULT,
    evidence: evidenceOf(permitted, sessionId),
  });
  return opened ?? (mode === "required" ? "unavailable" : null);
}

function recordOf({ record = "off" }: SshCapabilities): NonNullable<SshCapabilities["record"]> {
  return record;
}

/** Whether the recording satisfies `capabilities`. `recording` undefined: it has not begun. */
export function isRecordedEnough(
  recording: SessionRecording | null | undefined,
  capabilities: SshCapabilities,
): boolean {
  if (recordOf(capabilities) !== "required" || recording === undefined) return true;
  if (recording?.isRequired !== true) return false;
  return recording.facts.hasAllInput || !keepsAllInput(capabilities);
}

/** Whether `capabilities` require all typed input. */
function keepsAllInput({ record_input }: SshCapabilities): boolean {
  return record_input === "all";
}

/** Whether the session may use the client's SSH agent, whose traffic cannot be recorded. */
export function mayUseAgent(
  { capabilities }: Pick<Grant, "capabilities">,
  recording: SessionRecording | null | undefined,
): boolean {
  return mayForwardAgent(capabilities) && recording?.isRequired !== true;
}

function evidenceOf(permitted: SessionPermit, sessionId: number): RecordingEvidence {
  return {
    started: (recordingId, recipients) =>
      permitted.note({ type: "recording.start", sessionId, recordingId, recipients }),
    chunks: (recordingId, first, digests) =>
      permitted.note({ type: "recording.chunks", sessionId, recordingId, first, digests: [...digests] }),
    unechoed: (recordingId, lines, program) =>
      permitted.note({ type: "recording.unechoed", sessionId, recordingId, lines, program }),
    ended: (recordingId, end) => permitted.note({ type: "recording.end", sessionId, recordingId, ...end }),
  };
}
