/**
 * Source of the database URL: the flag, a file, or the environment. The flag may not contain a password.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { QfError } from "../base/errors.ts";

/** Longest URL read from a file. */
const URL_BYTES_MAX = 4096;
/** `user:password@`, or libpq's option `password`. */
const PASSWORD = /^[^/?#]*:\/\/[^/?#]*:[^/?#]*@|[?&]password=/i;

export interface DatabaseArgs {
  readonly "database-url"?: string | undefined;
  readonly "database-url-file"?: string | undefined;
}

/** Without `databaseUrl`: the data folder's own database. Throws ERR_USAGE, ERR_PERMISSION. */
export function parseDatabase(
  args: DatabaseArgs,
  environment: Readonly<Record<string, string | undefined>>,
): { databaseUrl?: string } {
  const { "database-url": url, "database-url-file": file } = args;
  if (url !== undefined && file !== undefined) {
    throw new QfError("ERR_USAGE", "--database-url and --database-url-file exclude each other");
  }
  if (url !== undefined && PASSWORD.test(url)) {
    throw new QfError("ERR_USAGE", "a password on the command line can be read by others", {
      hint: "give the URL by QF_DATABASE_URL or --database-url-file",
    });
  }
  const databaseUrl = url ?? (file === undefined ? environment.QF_DATABASE_URL : readUrl(file));
  return databaseUrl === undefined || databaseUrl === "" ? {} : { databaseUrl };
}

function readUrl(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new QfError("ERR_PERMISSION", `${path} cannot be read`, { cause });
  }
  const url = text.trim();
  if (url === "" || text.length > URL_BYTES_MAX) {
    throw new QfError("ERR_USAGE", `${path} holds no database URL`);
  }
  return url;
}
