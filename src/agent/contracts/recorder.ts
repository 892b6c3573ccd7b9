/**
 * The interface of the recorder: what the SSH server passes on from a recorded session, and what it learns.
 *
 * A running agent uses `recording/recorder.ts`. Tests of the server may omit it.
 *
 * @module
 */
import type { RecordingEnd, RecordingHead } from "../../wire/recording.ts";

/** Why a recording had to stop. */
export type RecordingFailure = NonNullable<RecordingEnd["why"]>;

/** How the terminal treats input. */
export interface TerminalModes {
  /** Input is shown. */
  readonly echo: boolean;
  /** Input is delivered line by line (ICANON). */
  readonly lines: boolean;
}

/** The part of a session's terminal that a recording needs. */
export interface RecordedTerminal {
  modes(): TerminalModes;
  /** Name of the foreground program. Null: unknown. */
  foreground(): string | null;
}

/** Audit events of a recording. Each is stored before this resolves. False: it could not be stored. */
export interface RecordingEvidence {
  started(recordingId: string, recipients: number): Promise<boolean>;
  chunks(recordingId: string, first: number, digests: readonly string[]): Promise<boolean>;
  unechoed(recordingId: string, lines: number, program: string): Promise<boolean>;
  ended(recordingId: string, end: RecordingEnd & RecordingTotals): Promise<boolean>;
}

/** Totals of a recording at its end, including what is not uploaded yet. */
export interface RecordingTotals {
  readonly chunks: number;
  readonly bytes: number;
  /** Digest of the chain of all chunks. */
  readonly digest: string;
}

/** Facts about a recording that the person is told. */
export interface RecordingFacts {
  /** All typed input is recorded, including what the terminal does not show. */
  readonly hasAllInput: boolean;
  /** Management cannot store it yet, and root allows this machine to keep it until then. */
  readonly isKeptHere: boolean;
  readonly isEncrypted: boolean;
  /**
   * When this machine noticed that recordings are encrypted to other keys than before, or no longer are.
   * Null: not recently.
   */
  readonly otherKeysSinceSeconds: number | null;
}

export interface RecordingRequest extends Omit<RecordingHead, "recipients" | "startedAtSeconds"> {
  /** Record all typed input. Only if encrypted: without recipients it is not done. */
  readonly allInput: boolean;
  /** The command. Null: a shell or SFTP. */
  readonly command: string | null;
  readonly terminalType: string | null;
  readonly size: { readonly cols: number; readonly rows: number };
  readonly evidence: RecordingEvidence;
}

/** A session being recorded. Nothing here throws. */
export interface SessionRecording {
  readonly id: string;
  readonly isRequired: boolean;
  readonly facts: RecordingFacts;
  /** The recording is required and cannot continue, so nothing more may be shown. */
  readonly hasFailed: boolean;
  /** Settles when a required recording cannot continue. */
  readonly failed: Promise<RecordingFailure>;
  /** Call it if the session has a terminal. Its input then arrives through `typed`. */
  attach(terminal: RecordedTerminal): void;
  /** Output of a program, before it is shown. Null: continue. Otherwise wait for it. */
  output(data: Uint8Array, stream: "stdout" | "stderr"): Promise<void> | null;
  /** Input of a program without a terminal. Null: continue. Otherwise wait for it. */
  input(data: Uint8Array): Promise<void> | null;
  /** Input given to the terminal, with its modes just before and after. */
  typed(data: Uint8Array, before: TerminalModes, after: TerminalModes): void;
  resize(size: { readonly cols: number; readonly rows: number }): void;
  /**
   * The session has ended. Resolves once the digest of the whole is in evidence and, for a required
   * recording, once everything is stored at management or that has failed.
   */
  end(): Promise<void>;
}

export interface Recorder {
  /** Whether recordings that begin now are encrypted. */
  encrypts(): boolean;
  /**
   * Begins a recording. Null: impossible, so a session that requires it must not begin. A required recording
   * then has its header stored at management, or here if root allows it to wait.
   */
  open(request: RecordingRequest): Promise<SessionRecording | null>;
  /** Stops uploading. The rest of the spool is uploaded after the next start. */
  close(): Promise<void>;
}
