import { expect, test } from "bun:test";
import { disableByLibSystem, type LibSystem } from "../../src/ssh/termios.ts";

const OFLAG_AT = 8;

/** libSystem, played by hand: a terminal whose struct is all ones. */
function library(answer = 0) {
  const set: { when: number; termios: Buffer }[] = [];
  const calls: LibSystem = {
    tcgetattr(_fd, termios) {
      termios.fill(0xff);
      return answer;
    },
    tcsetattr(_fd, when, termios) {
      set.push({ when, termios: Buffer.from(termios) });
      return 0;
    },
  };
  return { calls, set };
}

test("output processing of a terminal is turned off on macOS, and nothing else", () => {
  const { calls, set } = library();
  disableByLibSystem(0, calls);
  const [change] = set;
  expect(change?.termios.readBigUInt64LE(OFLAG_AT)).toBe(0xffff_ffff_ffff_fffen);
  const rest = Buffer.from(change?.termios ?? []);
  rest.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, OFLAG_AT);
  expect([rest.length, rest.every((byte) => byte === 0xff), change?.when]).toEqual([72, true, 0]);
});

test("what is no terminal is let be", () => {
  const { calls, set } = library(-1);
  disableByLibSystem(0, calls);
  expect(set).toEqual([]);
});
