/** What ssh(1) takes after -L, -R, -D and -W. */
import { expect, test } from "bun:test";
import { QfError } from "../../src/base/errors.ts";
import {
  describeListen,
  parseDynamicForward,
  parseLocalForward,
  parseRemoteForward,
  parseStdioForward,
} from "../../src/ssh/forward-spec.ts";

const tcp = (host: string | undefined, port: number) => ({ kind: "tcp", host, port });
const unix = (path: string) => ({ kind: "unix", path });

test.each([
  ["8080:db:5432", tcp(undefined, 8080), tcp("db", 5432)],
  ["127.0.0.1:8080:db:5432", tcp("127.0.0.1", 8080), tcp("db", 5432)],
  ["localhost:8080:db:5432", tcp("localhost", 8080), tcp("db", 5432)],
  ["*:8080:db:5432", tcp("", 8080), tcp("db", 5432)],
  [":8080:db:5432", tcp("", 8080), tcp("db", 5432)],
  ["[::1]:8080:[fd00::7]:5432", tcp("::1", 8080), tcp("fd00::7", 5432)],
  ["8080:[fd00::7]:5432", tcp(undefined, 8080), tcp("fd00::7", 5432)],
  ["8080:/run/db.sock", tcp(undefined, 8080), unix("/run/db.sock")],
  ["127.0.0.1:8080:/run/db.sock", tcp("127.0.0.1", 8080), unix("/run/db.sock")],
  ["/tmp/here:/run/db.sock", unix("/tmp/here"), unix("/run/db.sock")],
  ["/tmp/here:db:5432", unix("/tmp/here"), tcp("db", 5432)],
])("parseLocalForward reads %s", (text, listen, connect) => {
  expect<unknown>(parseLocalForward(text)).toEqual({ direction: "local", listen, connect });
});

test.each([
  ["8080:web:80", tcp(undefined, 8080), tcp("web", 80)],
  ["0:web:80", tcp(undefined, 0), tcp("web", 80)],
  ["*:8080:web:80", tcp("", 8080), tcp("web", 80)],
  ["1080", tcp(undefined, 1080), null],
  ["127.0.0.1:1080", tcp("127.0.0.1", 1080), null],
  ["/run/there:/tmp/here", unix("/run/there"), unix("/tmp/here")],
  ["/run/there", unix("/run/there"), null],
])("parseRemoteForward reads %s", (text, listen, connect) => {
  expect<unknown>(parseRemoteForward(text)).toEqual({ direction: "remote", listen, connect });
});

test.each([
  ["1080", tcp(undefined, 1080)],
  ["*:1080", tcp("", 1080)],
  ["[::1]:1080", tcp("::1", 1080)],
])("parseDynamicForward reads %s", (text, listen) => {
  expect<unknown>(parseDynamicForward(text)).toEqual({ direction: "local", listen, connect: null });
});

test.each([
  ["db:5432", tcp("db", 5432)],
  ["[fd00::7]:22", tcp("fd00::7", 22)],
])("parseStdioForward reads %s", (text, target) => {
  expect<unknown>(parseStdioForward(text)).toEqual(target);
});

test.each([
  [parseLocalForward, ""],
  [parseLocalForward, "8080"],
  [parseLocalForward, "8080:db"],
  [parseLocalForward, "0:db:5432"],
  [parseLocalForward, "8080::5432"],
  [parseLocalForward, "8080:db:0"],
  [parseLocalForward, "8080:db:65536"],
  [parseLocalForward, "8080:db:http"],
  [parseLocalForward, "a:b:8080:db:5432"],
  [parseLocalForward, "8080:[fd00::7:5432"],
  [parseLocalForward, "8080:fd00::7:5432"],
  [parseLocalForward, "8080:d b:5432"],
  [parseLocalForward, `/${"x".repeat(107)}:db:5432`],
  [parseRemoteForward, "70000:web:80"],
  [parseRemoteForward, ""],
  [parseDynamicForward, "0"],
  [parseDynamicForward, "1080:db:5432"],
  [parseDynamicForward, "/run/socket"],
  [parseStdioForward, "db"],
  [parseStdioForward, ":22"],
  [parseStdioForward, "db:22:23"],
] as const)("%p refuses %p", (parse, text) => {
  let code: string | undefined;
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof QfError)) throw error;
    code = error.code;
  }
  expect(code).toBe("ERR_USAGE");
});

test("describeListen writes an address as it was asked for", () => {
  const lines = ["8080:a:1", "*:8080:a:1", "[::1]:8080:a:1", "/tmp/here:a:1"].map((text) =>
    describeListen(parseLocalForward(text).listen),
  );
  expect(lines).toEqual(["8080", "*:8080", "[::1]:8080", "/tmp/here"]);
});
