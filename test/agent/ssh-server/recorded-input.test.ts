import { expect, test } from "bun:test";
import type { SessionRecording, TerminalModes } from "../../../src/agent/contracts/recorder.ts";
import type { FdWriter } from "../../../src/agent/os/pipes.ts";
import type { Pty } from "../../../src/agent/os/pty.ts";
import { recordedInput } from "../../../src/agent/ssh-server/recorded-input.ts";

function aWriter(answer: () => Promise<void> | null = () => null) {
  const written: string[] = [];
  const writer: FdWriter = {
    write(data) {
      written.push(Buffer.from(data).toString());
      return answer();
    },
    close: () => void written.push("closed"),
  };
  return { writer, written };
}

test("what is not recorded goes on as it is", () => {
  const { writer } = aWriter();
  expect(recordedInput(writer, null, null)).toBe(writer);
});

test("a terminal is looked at just before and just after each piece", async () => {
  let modes: TerminalModes = { echo: true, lines: true };
  const told: unknown[] = [];
  const { writer, written } = aWriter(() => {
    modes = { echo: false, lines: true };
    return null;
  });
  const recording = { typed: (...args: unknown[]) => told.push(args) } as unknown as SessionRecording;
  const pty = { modes: () => modes } as unknown as Pty;
  recordedInput(writer, pty, recording).write(Buffer.from("x"));
  expect(written).toEqual(["x"]);
  expect(told).toEqual([[Buffer.from("x"), { echo: true, lines: true }, { echo: false, lines: true }]]);
});

test("a piece that the terminal takes later is told of then", async () => {
  const told: unknown[] = [];
  const taken = Promise.withResolvers<void>();
  const { writer } = aWriter(() => taken.promise);
  const recording = { typed: (data: Uint8Array) => told.push(data) } as unknown as SessionRecording;
  const pty = { modes: () => ({ echo: true, lines: true }) } as unknown as Pty;
  const writing = recordedInput(writer, pty, recording).write(Buffer.from("x"));
  expect(told).toEqual([]);
  taken.resolve();
  await writing;
  expect(told).toHaveLength(1);
});

test("without a terminal a piece is recorded before the program reads it, and waits while that is held", async () => {
  const held = Promise.withResolvers<void>();
  const { writer, written } = aWriter();
  const holds: (Promise<void> | null)[] = [null, held.promise];
  const recording = { input: () => holds.shift() ?? null } as unknown as SessionRecording;
  const recorded = recordedInput(writer, null, recording);
  expect(recorded.write(Buffer.from("a"))).toBeNull();
  const writing = recorded.write(Buffer.from("b"));
  expect(written).toEqual(["a"]);
  held.resolve();
  await writing;
  recorded.close();
  expect(written).toEqual(["a", "b", "closed"]);
});
