import { expect, test } from "bun:test";
import { formatHostPort, parseHostPort } from "../../src/fabric/host-port.ts";

test.each([
  ["127.0.0.1:22022", "127.0.0.1", 22_022],
  ["0.0.0.0:0", "0.0.0.0", 0],
  ["[::1]:65535", "::1", 65_535],
  ["[fe80::1%eth0]:22", "fe80::1%eth0", 22],
  ["web1.example.com:22", "web1.example.com", 22],
])("%s is host %s and port %d, and comes back as text", (text, host, port) => {
  expect(parseHostPort(text)).toEqual({ host, port });
  expect(formatHostPort(host, port)).toBe(text);
});

test.each([
  "",
  "22",
  ":22",
  "host",
  "host:",
  "host:port",
  "host:65536",
  "host:-1",
  "::1:22",
  "[::1]",
  "[::1:22",
  "a b:22",
  "host:22 ",
  "host:22\n",
  "user@host:22",
])("%j is not HOST:PORT", (text) => {
  expect(() => parseHostPort(text)).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
});

test("a refusal repeats a bounded part of the text, quoted", () => {
  const long = `${"x".repeat(500)}\u001b[31m`;
  try {
    parseHostPort(long);
    throw new Error("it was taken");
  } catch (error) {
    const { message } = error as Error;
    expect(message.length).toBeLessThan(120);
    expect(message).not.toContain("\u001b");
  }
});
