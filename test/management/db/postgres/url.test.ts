import { expect, test } from "bun:test";
import { isQfError } from "../../../../src/base/errors.ts";
import { parseDatabaseUrl } from "../../../../src/management/db/postgres/url.ts";

const plain = { host: "127.0.0.1", port: 5432, database: "qf", user: "me", password: undefined, tls: null };
const verified = { ca: undefined, rejectUnauthorized: true, checksName: true };

test.each([
  { name: "a server here", url: "postgres://me@127.0.0.1/qf", want: plain },
  { name: "the other scheme", url: "postgresql://me@127.0.0.1/qf", want: plain },
  { name: "a port", url: "postgres://me@127.0.0.1:7/qf", want: { ...plain, port: 7 } },
  { name: "http's own port", url: "postgres://me@127.0.0.1:80/qf", want: { ...plain, port: 80 } },
  { name: "IPv6", url: "postgres://me@[::1]/qf", want: { ...plain, host: "::1" } },
  { name: "a password", url: "postgres://me:a%40%2Fb@127.0.0.1/qf", want: { ...plain, password: "a@/b" } },
  { name: "a socket", url: "postgres://me@/qf?host=/run/pg", want: { ...plain, host: "/run/pg" } },
  { name: "a server elsewhere", url: "postgres://me@db/qf", want: { ...plain, host: "db", tls: verified } },
  {
    name: "elsewhere, in the clear by wish",
    url: "postgres://me@db/qf?sslmode=disable",
    want: { ...plain, host: "db" },
  },
  {
    name: "elsewhere, unverified by wish",
    url: "postgres://me@db/qf?sslmode=require",
    want: { ...plain, host: "db", tls: { ...verified, rejectUnauthorized: false, checksName: false } },
  },
  {
    name: "elsewhere, whatever its name",
    url: "postgres://me@db/qf?sslmode=verify-ca",
    want: { ...plain, host: "db", tls: { ...verified, checksName: false } },
  },
])("parseDatabaseUrl reads $name", ({ url, want }) => {
  expect(parseDatabaseUrl(url)).toEqual(want);
});

test.each([
  { name: "another database's", url: "mysql://me:secret@db/qf" },
  { name: "none", url: "secret" },
  { name: "one without a user", url: "postgres://db/qf" },
  { name: "one without a database", url: "postgres://me:secret@db" },
  { name: "one without a host", url: "postgres://me:secret@/qf" },
  { name: "a database with a slash", url: "postgres://me:secret@db/q/f" },
  { name: "TLS if it happens", url: "postgres://me:secret@db/qf?sslmode=prefer" },
  { name: "an unknown option", url: "postgres://me:secret@db/qf?ssl=false" },
  { name: "a relative socket", url: "postgres://me:secret@/qf?host=run" },
  { name: "two hosts", url: "postgres://me:secret@db/qf?host=/run/pg" },
  { name: "a bad escape", url: "postgres://me:secret%@db/qf" },
  { name: "a fragment", url: "postgres://me:secret@db/qf#x" },
])("parseDatabaseUrl refuses $name and repeats nothing of it", ({ url }) => {
  let error: unknown;
  try {
    parseDatabaseUrl(url);
  } catch (cause) {
    error = cause;
  }
  expect(isQfError(error, "ERR_USAGE")).toBe(true);
  expect(Bun.inspect(error)).not.toContain("secret");
});
