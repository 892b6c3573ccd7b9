import { expect, test } from "bun:test";
import { VERSION } from "../../src/base/build-info.ts";
import { CLIENT_IDENT, SERVER_IDENT } from "../../src/sshcore/ident.ts";

test.each([
  ["server", SERVER_IDENT],
  ["client", CLIENT_IDENT],
])("the ident of the %s makes a line as RFC 4253 section 4.2 wants it", (_, ident) => {
  const line = `SSH-2.0-${ident}\r\n`;
  expect(line.length).toBeLessThanOrEqual(255);
  // A software version without "-" and blanks (that of a build has none), and a comment behind a blank.
  expect(ident.replace(VERSION, "1.2.3")).toMatch(/^[!-,.-~]+(?: [ -~]+)?$/);
});

test("clients read OpenSSH 9 in the server's version, and who it is in its comment", () => {
  expect(SERVER_IDENT).toStartWith("OpenSSH_9.");
  expect(SERVER_IDENT).toEndWith(` QuFabric_${VERSION}`);
  expect(CLIENT_IDENT).toBe(`QuFabric_${VERSION}`);
});
