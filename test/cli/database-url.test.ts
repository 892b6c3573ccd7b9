import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { parseDatabase } from "../../src/cli/database-url.ts";
import { tempFolder } from "../support/temp-folder.ts";

const url = "postgres://me@db/qf";
const withPassword = "postgres://me:secret@db/qf";
const environment = { QF_DATABASE_URL: withPassword };

test("the flag comes before the environment, and without either it is the data folder's own", () => {
  expect(parseDatabase({ "database-url": url }, environment)).toEqual({ databaseUrl: url });
  expect(parseDatabase({}, environment)).toEqual({ databaseUrl: withPassword });
  expect(parseDatabase({}, {})).toEqual({});
  expect(parseDatabase({}, { QF_DATABASE_URL: "" })).toEqual({});
});

test("a file may hold a password; what is around the URL is left out", () => {
  const file = join(tempFolder(), "url");
  writeFileSync(file, `${withPassword}\n`);
  expect(parseDatabase({ "database-url-file": file }, {})).toEqual({ databaseUrl: withPassword });
  writeFileSync(file, "\n");
  expect(() => parseDatabase({ "database-url-file": file }, {})).toThrow("holds no database URL");
  expect(() => parseDatabase({ "database-url-file": `${file}.none` }, {})).toThrow("cannot be read");
});

test.each([
  { name: "a password", args: { "database-url": withPassword } },
  { name: "an empty user's password", args: { "database-url": "postgres://:secret@db/qf" } },
  { name: "a password with an @", args: { "database-url": "postgres://me:secret@x@db/qf" } },
  { name: "a password as an option", args: { "database-url": `${url}?password=secret` } },
  { name: "both flags", args: { "database-url": url, "database-url-file": "secret" } },
])("$name on the command line is refused and not repeated", ({ args }) => {
  let error: unknown;
  try {
    parseDatabase(args, {});
  } catch (cause) {
    error = cause;
  }
  expect(isQfError(error, "ERR_USAGE")).toBe(true);
  expect(Bun.inspect(error)).not.toContain("secret");
});
