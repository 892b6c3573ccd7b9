import { describe, expect, test } from "bun:test";
import { createGreetingReader, type GreetingStep } from "../../src/proxy/socks-greeting.ts";

const SECRET = { name: "qf", password: "s3cret" };
const LOGIN = Buffer.from("qf:s3cret").toString("base64");
const METHODS = Buffer.from([5, 2, 0, 2]);
const PASSWORD = Buffer.concat([
  Buffer.from([1, 2]),
  Buffer.from("qf"),
  Buffer.from([6]),
  Buffer.from("s3cret"),
]);
const REQUEST = Buffer.concat([Buffer.from([5, 1, 0, 3, 4]), Buffer.from("web1"), Buffer.from([0, 22])]);

/** Feeds `bytes` as they may come, `size` at a time; the last step, and all that was answered. */
function read(bytes: Buffer, size = bytes.length): { step: GreetingStep; answered: string } {
  const reader = createGreetingReader(SECRET);
  let held: Buffer = Buffer.alloc(0);
  let answered = "";
  let step: GreetingStep = { kind: "more", answer: held, used: 0 };
  for (let from = 0; from < bytes.length; from += size) {
    held = Buffer.concat([held, bytes.subarray(from, from + size)]);
    for (;;) {
      step = reader(held);
      if (step.kind === "more") answered += step.answer.toString("hex");
      if (step.kind === "bad") return { step, answered: answered + step.answer.toString("hex") };
      held = held.subarray(step.used);
      if (step.kind === "connect" || step.used === 0) break;
    }
    if (step.kind === "connect") break;
  }
  return { step, answered };
}

const http = (line: string, ...fields: string[]) => Buffer.from(`${[line, ...fields].join("\r\n")}\r\n\r\n`);
const AUTHORIZED = `Proxy-Authorization: Basic ${LOGIN}`;

describe("who may go out, and where", () => {
  test.each([
    ["SOCKS by name", Buffer.concat([METHODS, PASSWORD, REQUEST]), "web1"],
    [
      "SOCKS by address",
      Buffer.concat([METHODS, PASSWORD, Buffer.from([5, 1, 0, 1, 100, 64, 0, 2, 0, 22])]),
      "100.64.0.2",
    ],
    ["HTTP CONNECT", http("CONNECT web1:22 HTTP/1.1", "Host: web1:22", AUTHORIZED), "web1"],
    ["HTTP CONNECT of version 1.0", http("CONNECT web1:22 HTTP/1.0", AUTHORIZED), "web1"],
  ])("%s, in one piece or byte by byte", (_what, bytes, host) => {
    for (const size of [bytes.length, 1, 3]) {
      expect(read(bytes, size).step).toMatchObject({ kind: "connect", host, port: 22 });
    }
  });

  test("what comes behind the greeting is left alone", () => {
    const bytes = Buffer.concat([METHODS, PASSWORD, REQUEST, Buffer.from("SSH-2.0-x\r\n")]);
    expect(read(bytes).step).toMatchObject({ kind: "connect", used: REQUEST.length });
  });
});

test.each<[what: string, bytes: Buffer, answered: string]>([
  ["SOCKS without a password", Buffer.from([5, 1, 0]), "05ff"],
  [
    "SOCKS with a wrong password",
    Buffer.concat([METHODS, Buffer.from([1, 2, 113, 102, 1, 120])]),
    "05020101",
  ],
  ["SOCKS with an empty one", Buffer.concat([METHODS, Buffer.from([1, 2, 113, 102, 0])]), "05020101"],
  [
    "SOCKS with another name",
    Buffer.concat([METHODS, Buffer.from([1, 1, 113, 6]), Buffer.from("s3cret")]),
    "05020101",
  ],
  ["SOCKS version 4", Buffer.from([4, 1, 0, 22, 100, 64, 0, 2, 0]), ""],
  [
    "SOCKS that listens",
    Buffer.concat([METHODS, PASSWORD, Buffer.from([5, 2, 0, 1, 1, 2, 3, 4, 0, 22])]),
    "0502010005070001000000000000",
  ],
  [
    "SOCKS to an IPv6 address",
    Buffer.concat([METHODS, PASSWORD, Buffer.from([5, 1, 0, 4, ...Array(18).fill(0)])]),
    "0502010005080001000000000000",
  ],
  ["a request before the password", Buffer.concat([METHODS, REQUEST]), "0502"],
  ["a page's request to it", http("GET / HTTP/1.1", "Host: 127.0.0.1"), ""],
  ["an absolute URI", http("GET http://web1:22/ HTTP/1.1", "Host: web1", AUTHORIZED), ""],
  ["CONNECT by a page", http("CONNECT web1:22 HTTP/1.1", "Origin: https://evil.example", AUTHORIZED), ""],
  ["CONNECT by a browser", http("CONNECT web1:22 HTTP/1.1", "sec-fetch-mode: no-cors", AUTHORIZED), ""],
  ["CONNECT with a cookie", http("CONNECT web1:22 HTTP/1.1", "Cookie: a=b", AUTHORIZED), ""],
  ["CONNECT to a URL", http("CONNECT http://web1:22 HTTP/1.1", AUTHORIZED), ""],
  ["CONNECT to a port that is none", http("CONNECT web1:99999 HTTP/1.1", AUTHORIZED), ""],
  ["CONNECT with a folded header", http("CONNECT web1:22 HTTP/1.1", AUTHORIZED, " Origin: x"), ""],
  ["other bytes", Buffer.from("SSH-2.0-x\r\n"), ""],
])("%s is turned away", (_what, bytes, answered) => {
  const found = read(bytes);
  expect([found.step.kind, found.answered]).toEqual(["bad", answered]);
});

test.each([
  ["none", []],
  ["a wrong one", [`Proxy-Authorization: Basic ${Buffer.from("qf:other").toString("base64")}`]],
  ["two", [AUTHORIZED, AUTHORIZED]],
  ["another scheme", [`Proxy-Authorization: Bearer ${LOGIN}`]],
])("CONNECT is asked for the password when it has %s", (_what, fields) => {
  const { step } = read(http("CONNECT web1:22 HTTP/1.1", ...fields));
  expect(step.kind === "bad" && step.answer.toString().split("\r\n")[0]).toBe(
    "HTTP/1.1 407 Proxy Authentication Required",
  );
});

test("a greeting without end is cut", () => {
  const endless = Buffer.from(`CONNECT web1:22 HTTP/1.1\r\n${"a: b\r\n".repeat(2_000)}`);
  expect(read(endless, 1_000).step.kind).toBe("bad");
});
