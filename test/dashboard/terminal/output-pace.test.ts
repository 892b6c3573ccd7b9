import { beforeEach, expect, test } from "bun:test";
import type { Bytes } from "../../../src/browser-ssh/bytes.ts";
import { OutputPace } from "../../../src/dashboard/terminal/output-pace.ts";

const KB = 1024;
let nowMs: number;
let drawn: number[];
let due: { atMs: number; work: () => void }[];
let pace: OutputPace;

beforeEach(() => {
  [nowMs, drawn, due] = [1_000, [], []];
  pace = new OutputPace({
    write: (bytes, done) => {
      drawn.push(bytes.length);
      done?.();
    },
    nowMs: () => nowMs,
    later: (work, ms) => void due.push({ atMs: nowMs + ms, work }),
  });
});

const write = (length: number, done?: () => void): void => pace.write(new Uint8Array(length) as Bytes, done);

function passMs(ms: number): void {
  nowMs += ms;
  for (const { work } of due.splice(0).filter(({ atMs }) => atMs <= nowMs)) work();
}

test("little output is drawn at once, however often it comes", () => {
  for (let count = 0; count < 100; count++) {
    write(60);
    nowMs += 1;
  }
  expect([drawn.length, due.length]).toEqual([100, 0]);
});

test("a flood is drawn in steps, in its order and whole", () => {
  let room = 0;
  for (let count = 1; count <= 40; count++) write(10 * KB + count, () => (room += 1));
  // What came before it was a flood is on the screen, the rest waits for one timer.
  expect([drawn.length, due.length]).toEqual([6, 1]);
  passMs(50);
  expect(drawn).toEqual([1, 2, 3, 4, 5, 6].map((more) => 10 * KB + more).concat(34 * 10 * KB + 799));
  expect(room).toBe(40);
});

test("a step of a flood is given in few large pieces, whole and in its order", () => {
  const given: Bytes[] = [];
  const joined = new OutputPace({
    write: (bytes) => void given.push(bytes),
    nowMs: () => nowMs,
    later: (work) => void due.push({ atMs: nowMs, work }),
  });
  const pieces = Array.from({ length: 70 }, (_, at) => new Uint8Array(32 * KB).fill(at) as Bytes);
  for (const piece of pieces) joined.write(piece);
  passMs(50);
  expect(given.map(({ length }) => length / KB)).toEqual([32, 32, 1024, 1024, 128]);
  expect(Buffer.concat(given).equals(Buffer.concat(pieces))).toBe(true);
});

test("a flood that goes on stays one, and what comes after it is drawn at once again", () => {
  for (let count = 0; count < 10; count++) write(10 * KB);
  passMs(50);
  write(70 * KB);
  expect(drawn.length).toBe(7);
  passMs(50);
  expect(drawn.length).toBe(8);
  nowMs += 200;
  write(1);
  expect([drawn.length, due.length]).toEqual([9, 0]);
});

test("one large piece does not wait longer than a step", () => {
  write(1024 * KB);
  expect(drawn).toEqual([]);
  passMs(50);
  expect(drawn).toEqual([1024 * KB]);
});

test("what is held back is drawn when something of the page's own is to follow", () => {
  write(100 * KB);
  pace.flush();
  expect(drawn).toEqual([100 * KB]);
  passMs(50);
  expect(drawn).toEqual([100 * KB]);
});
