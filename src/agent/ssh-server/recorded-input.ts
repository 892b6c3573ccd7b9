/**
 * The input of a recorded session, passed to both the program and the recording.
 *
 * @module
 */
import type { SessionRecording } from "../contracts/recorder.ts";
import type { FdWriter } from "../os/pipes.ts";
import type { Pty } from "../os/pty.ts";

/** A writer to the program that also tells the recording. */
export function recordedInput(
  writer: FdWriter,
  pty: Pty | null,
  recording: SessionRecording | null,
): FdWriter {
  if (recording === null) return writer;
  const close = (): void => writer.close();
  if (pty !== null) {
    return {
      close,
      write(data) {
        const before = pty.modes();
        const written = writer.write(data);
        const tell = (): void => recording.typed(data, before, pty.modes());
        if (written !== null) return written.then(tell);
        tell();
        return null;
      },
    };
  }
  return {
    close,
    write(data) {
      const held = recording.input(data);
      return held === null ? writer.write(data) : held.then(() => writer.write(data) ?? undefined);
    },
  };
}
