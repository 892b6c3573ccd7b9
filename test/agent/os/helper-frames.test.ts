import { describe, expect, test } from "bun:test";
import { createAnswers, encodeOrder, encodeSpec } from "../../../src/agent/os/helper-frames.ts";

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([number(Buffer.byteLength(value)), Buffer.from(value)]);
const frame = (...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([number(body.length), body]);
};

const STARTED = frame(
  ...[number(2), number(4711), text("welcome\n"), number(2), text("A=1"), text("B=x=y")],
  ...[number(0o77), number(2), number(5), number(29)],
  ...[number(1), number(7), number(77), number(0), number(0xffffffff), number(0xffffffff)],
);

describe("answers of the session helper", () => {
  test.each([
    [
      "an account",
      frame(number(1), number(13), text("expired\n")),
      { code: 13, kind: "account", text: "expired\n" },
    ],
    [
      "an exit status",
      frame(number(3), number(7), number(0)),
      { kind: "exited", exit: { status: 7, signal: null } },
    ],
    [
      "a signal",
      frame(number(3), number(0), number(9)),
      { kind: "exited", exit: { status: null, signal: "SIGKILL" } },
    ],
    [
      "a signal without a name",
      frame(number(3), number(0), number(40)),
      { kind: "exited", exit: { status: null, signal: "SIG40" } },
    ],
    ["a refusal", frame(number(4), text("no"), text("why")), { kind: "refused", message: "no", text: "why" }],
    [
      "a start",
      STARTED,
      {
        ...{ kind: "started", pid: 4711, text: "welcome\n", words: ["A=1", "B=x=y"] },
        ...{ umask: 0o77, groups: [5, 29], limits: [[7, "77", "18446744073709551615"]] },
      },
    ],
  ])("tell of %s", (_name, bytes, answer) => {
    expect(createAnswers()(bytes)).toEqual([answer as never]);
  });

  test("are cut where their frames end, however they arrive", () => {
    const take = createAnswers();
    const all = Buffer.concat([STARTED, frame(number(3), number(0), number(0))]);
    const found = [...all].flatMap((byte) => take(Uint8Array.of(byte)));
    expect(found.map(({ kind }) => kind)).toEqual(["started", "exited"]);
  });

  test.each([
    ["of no kind", frame(number(9), text("no"), text("why"))],
    ["with more than it should have", frame(number(3), number(0), number(0), number(0))],
    ["with less", frame(number(3), number(0))],
    ["with a text longer than itself", frame(number(1), number(0), number(9), Buffer.from("short"))],
    ["with a list longer than itself", frame(number(2), number(1), text(""), number(0x7fffffff))],
    ["longer than any may be", Buffer.concat([number(0x7fffffff), Buffer.alloc(8)])],
  ])("one %s is refused", (_name, bytes) => {
    expect(() => createAnswers()(bytes)).toThrow();
  });
});

test("an order names its session, and the length of itself first", () => {
  const bytes = encodeOrder({
    kind: "session",
    session: {
      ...{ service: "sshd", user: "ada", uid: 1000, gid: 1001, remoteHost: "192.0.2.7" },
      ...{ terminal: null, hasModules: true, isSilent: true, command: null },
    },
  });
  const body = Buffer.concat([
    ...[number(2), number(3), number(1000), number(1001)],
    ...[text("sshd"), text("ada"), text("192.0.2.7"), text(""), number(0), number(0)],
  ]);
  expect(bytes).toEqual(Buffer.concat([number(body.length), body]));
});

test("a spec says what is executed, as whom, and nothing of what a session's monitor has prepared", () => {
  const spec = {
    ...{ user: "ada", uid: 1000, gid: 1001, drop: true, tty: true, home: "/home/ada" },
    ...{ file: "/bin/sh", argv: ["-sh"], env: { LANG: "C" }, groups: [7], limits: [], greeting: "hello" },
  };
  expect(encodeSpec(spec)).toEqual(
    Buffer.concat([
      ...[number(1), number(3), number(1000), number(1001), text("ada"), text("/home/ada"), text("/bin/sh")],
      ...[number(1), text("-sh"), number(1), text("LANG=C"), text("hello")],
    ]),
  );
});
