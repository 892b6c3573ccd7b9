/** Greetings of SOCKS clients, whole and in pieces. */
import { expect, test } from "bun:test";
import { createSocksReader, SOCKS_BYTES_MAX, type SocksStep } from "../../src/ssh/socks.ts";

const text = (value: string) => [...Buffer.from(value)];
const connect4 = (address: number[], ...rest: number[]) =>
  Buffer.from([4, 1, 0x15, 0x38, ...address, ...rest]);
const connect5 = (...address: number[]) => Buffer.from([5, 1, 0, ...address, 0x15, 0x38]);
const GREETING5 = Buffer.from([5, 1, 0]);

/** Feeds `bytes` in pieces of `size`, as a network would. */
function feed(bytes: Buffer, size = bytes.length): { last: SocksStep; answers: Buffer; rest: Buffer } {
  const read = createSocksReader();
  let waiting = Buffer.alloc(0);
  const answers: Buffer[] = [];
  let last: SocksStep = { kind: "more", answer: Buffer.alloc(0), used: 0 };
  for (let at = 0; at < bytes.length; at += size) {
    waiting = Buffer.concat([waiting, bytes.subarray(at, at + size)]);
    for (;;) {
      if (last.kind !== "more") break;
      last = read(waiting);
      if (last.kind === "bad") break;
      waiting = waiting.subarray(last.used);
      if (last.kind === "more") answers.push(last.answer);
      if (last.kind === "more" && last.used === 0) break;
    }
  }
  return { last, answers: Buffer.concat(answers), rest: waiting };
}

const GOOD: [name: string, bytes: Buffer, host: string, answers: number[]][] = [
  ["version 4", connect4([10, 0, 0, 7], 0), "10.0.0.7", []],
  ["version 4 with a user", connect4([10, 0, 0, 7], ...text("me"), 0), "10.0.0.7", []],
  ["version 4a", connect4([0, 0, 0, 1], 0, ...text("db.internal"), 0), "db.internal", []],
  [
    "version 5 with an IPv4 address",
    Buffer.concat([GREETING5, connect5(1, 10, 0, 0, 7)]),
    "10.0.0.7",
    [5, 0],
  ],
  ["version 5 with a name", Buffer.concat([GREETING5, connect5(3, 2, ...text("db"))]), "db", [5, 0]],
  [
    "version 5 with an IPv6 address",
    Buffer.concat([GREETING5, connect5(4, 0xfd, 0, ...Array<number>(13).fill(0), 7)]),
    "fd00:0:0:0:0:0:0:7",
    [5, 0],
  ],
  [
    "version 5 that offers a password as well",
    Buffer.concat([Buffer.from([5, 2, 2, 0]), connect5(1, 10, 0, 0, 7)]),
    "10.0.0.7",
    [5, 0],
  ],
];

test.each(GOOD)("createSocksReader reads %s", (_name, bytes, host, answers) => {
  for (const size of [bytes.length, 1, 3]) {
    const { last, answers: said } = feed(bytes, size);
    expect(last).toMatchObject({ kind: "connect", target: { kind: "tcp", host, port: 5432 } });
    expect([...said]).toEqual(answers);
  }
});

test.each(GOOD)("createSocksReader leaves what follows %s", (_name, bytes) => {
  const { last, rest } = feed(Buffer.concat([bytes, Buffer.from("GET /")]));
  expect(last.kind).toBe("connect");
  expect(rest.toString()).toBe("GET /");
});

test.each([
  ["another version", Buffer.from("GET / HTTP/1.1"), []],
  ["a password only", Buffer.from([5, 1, 2]), [5, 0xff]],
  ["version 4 BIND", Buffer.from([4, 2, 0, 80, 10, 0, 0, 7, 0]), [0, 91, 0, 0, 0, 0, 0, 0]],
  [
    "version 5 UDP",
    Buffer.concat([GREETING5, Buffer.from([5, 3, 0, 1, 10, 0, 0, 7, 0, 80])]),
    [5, 7, 0, 1, 0, 0, 0, 0, 0, 0],
  ],
  [
    "version 5 with an address of no kind",
    Buffer.concat([GREETING5, Buffer.from([5, 1, 0, 9, 10, 0, 0, 7])]),
    [5, 8, 0, 1, 0, 0, 0, 0, 0, 0],
  ],
  [
    "port 0",
    Buffer.concat([GREETING5, Buffer.from([5, 1, 0, 1, 10, 0, 0, 7, 0, 0])]),
    [5, 5, 0, 1, 0, 0, 0, 0, 0, 0],
  ],
  ["a user without end", Buffer.concat([connect4([10, 0, 0, 7]), Buffer.alloc(SOCKS_BYTES_MAX, 97)]), []],
  [
    "a name with a NUL",
    Buffer.concat([GREETING5, connect5(3, 3, 97, 0, 98)]),
    [5, 5, 0, 1, 0, 0, 0, 0, 0, 0],
  ],
])("createSocksReader refuses %s", (_name, bytes, answer) => {
  const { last } = feed(bytes);
  expect(last.kind).toBe("bad");
  expect(last.kind === "bad" ? [...last.answer] : null).toEqual(answer);
});
