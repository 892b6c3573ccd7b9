import { expect, test } from "bun:test";
import {
  encodeTerminalModes,
  parseTerminalModes,
  TERMIOS_BYTES,
  withTerminalModes,
} from "../../src/sshcore/terminal-modes.ts";

const mode = (opcode: number, value: number): number[] => [opcode, 0, 0, 0, value];

test.each([
  ["nothing", [], []],
  ["an end at once", [0], []],
  ["two modes and their end", [...mode(53, 0), ...mode(3, 127), 0], [53, 3]],
  ["what is after the end", [...mode(53, 0), 0, ...mode(3, 127)], [53]],
  ["an argument cut short", [...mode(53, 0), 3, 0, 0], [53]],
  ["the range that has no form yet", [...mode(53, 0), ...mode(160, 1), ...mode(3, 1)], [53]],
])("parseTerminalModes stops rightly at %s", (_name, bytes, opcodes) => {
  expect(parseTerminalModes(Uint8Array.from(bytes)).map((entry) => entry.opcode)).toEqual(opcodes);
});

test("parseTerminalModes reads at most 256 modes", () => {
  const bytes = Array.from({ length: 1000 }, () => mode(53, 1)).flat();
  expect(parseTerminalModes(Uint8Array.from(bytes))).toHaveLength(256);
});

test("withTerminalModes sets and clears flags, characters and sizes, and leaves the rest", () => {
  const before = Buffer.alloc(TERMIOS_BYTES, 0xff);
  const after = withTerminalModes(before, [
    { opcode: 53, value: 0 }, // ECHO off
    { opcode: 36, value: 0 }, // ICRNL off
    { opcode: 72, value: 1 }, // ONLCR on
    { opcode: 3, value: 8 }, // VERASE
    { opcode: 1, value: 255 }, // VINTR off
    { opcode: 90, value: 1 }, // CS7
    { opcode: 200, value: 1 }, // nothing known
  ]);
  expect(before.every((byte) => byte === 0xff)).toBe(true);
  expect(after.readUInt32LE(12)).toBe((0xffff_ffff & ~0o10) >>> 0);
  expect(after.readUInt32LE(0)).toBe((0xffff_ffff & ~0o400) >>> 0);
  expect(after.readUInt32LE(4)).toBe(0xffff_ffff);
  expect(after[17 + 2]).toBe(8);
  expect(after[17]).toBe(0);
  expect(after.readUInt32LE(8) & 0o60).toBe(0o40);
});

test.each([
  ["none set", 0],
  ["all set", 0xff],
])("what encodeTerminalModes says of a terminal with %s makes another one like it", (_name, fill) => {
  const termios = Buffer.alloc(TERMIOS_BYTES, fill);
  const modes = parseTerminalModes(encodeTerminalModes(termios));
  const other = withTerminalModes(Buffer.alloc(TERMIOS_BYTES, 0x55), modes);
  expect(encodeTerminalModes(other)).toEqual(encodeTerminalModes(termios));
});

test("encodeTerminalModes says the speed, and 38400 of one that it does not know", () => {
  const termios = Buffer.alloc(TERMIOS_BYTES);
  const speedOf = () => parseTerminalModes(encodeTerminalModes(termios)).find(({ opcode }) => opcode === 129);
  expect(speedOf()?.value).toBe(38_400);
  termios.writeUInt32LE(0o10002, 8);
  expect(speedOf()?.value).toBe(115_200);
});
