/**
 * The door to the recorder: what the SSH server hands over of a session that is recorded, and what it hears.
 *
 * `recording/recorder.ts` is the one of a running agent; tests of the server may go without.
 *
 * @module
 */
import type { RecordingEnd, RecordingHead } from "../../wire/recording.ts";

/** Why a recording could not go on. */
export type RecordingFailure = NonNullable<RecordingEnd["why"]>;

/** What the terminal does with what is typed. */
export interface TerminalModes {
  /** It shows it. */
  readonly echo: boolean;
  /** It hands it over line by line (ICANON). */
  readonly lines: boolean;
}

/** The terminal of a session, as far as a recording asks it. */
export interface RecordedTerminal {
  modes(): TerminalModes;
  /** Name of the program in front. Null: it cannot be told. */
  foreground(): string | null;
}

/** Evidence of a recording, each stored before this resolves. False: it could not be stored. */
export interface RecordingEvidence {
  started(recordingId: string, recipients: number): Promise<boolean>;
  chunks(recordingId: string, first: number, digests: readonly string[]): Promise<boolean>;
  unechoed(recordingId: string, lines: number, program: string): Promise<boolean>;
  ended(recordingId: string, end: RecordingEnd & RecordingTotals): Promise<boolean>;
}

/** What there is of a recording at its end, whether or not all of it is uploaded yet. */
export interface RecordingTotals {
  readonly chunks: number;
  readonly bytes: number;
  /** The chain over all chunks. */
  readonly digest: string;
}

/** What the person is told of a recording. */
export interface RecordingFacts {
  /** Everything that is typed is kept, also what the terminal does not show. */
  readonly hasAllInput: boolean;
  /** Management cannot store it yet, and root lets it be kept on this machine until it can. */
  readonly isKeptHere: boolean;
  /** When this machine saw that other keys open recordings than before. Null: not lately. */
  readonly otherKeysSinceSeconds: number | null;
}

export interface RecordingRequest extends Omit<RecordingHead, "recipients" | "startedAtSeconds"> {
  /** Keep everything that is typed. Only ever encrypted: without recipients it is not done. */
  readonly allInput: boolean;
  /** The command. Null: a shell, or files. */
  readonly command: string | null;
  readonly terminalType: string | null;
  readonly size: { readonly cols: number; readonly rows: number };
  readonly evidence: RecordingEvidence;
}

/** A session that is being recorded. Nothing here throws. */
export interface SessionRecording {
  readonly id: string;
  readonly isRequired: boolean;
  readonly facts: RecordingFacts;
  /** Required, and it cannot go on: nothing more may be shown. */
  readonly hasFailed: boolean;
  /** Settles when a required recording cannot go on. */
  readonly failed: Promise<RecordingFailure>;
  /** The session has a terminal: what is typed there comes by `typed`. */
  attach(terminal: RecordedTerminal): void;
  /** What a program wrote, before it is shown. Null: go on; else wait for it. */
  output(data: Uint8Array, stream: "stdout" | "stderr"): Promise<void> | null;
  /** What a program without a terminal is given to read. Null: go on; else wait for it. */
  input(data: Uint8Array): Promise<void> | null;
  /** What the terminal was given, and its modes just before and just after. */
  typed(data: Uint8Array, before: TerminalModes, after: TerminalModes): void;
  resize(size: { readonly cols: number; readonly rows: number }): void;
  /**
   * The session is over. Resolves once the digest of the whole is in evidence and, where it is required,
   * everything is stored at management or that has failed.
   */
  end(): Promise<void>;
}

export interface Recorder {
  /**
   * Begins a recording. Null: it cannot be made, which for a required one means that nothing begins. A
   * required one has its header stored at management by then, or here where root lets it wait.
   */
  open(request: RecordingRequest): Promise<SessionRecording | null>;
  /** Stops uploading; what is left in the spool goes up after the next start. */
  close(): Promise<void>;
}
