/**
 * Strict parser of `postgres://` URLs. No error repeats any part of the URL but the certificate file's path.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { QfError } from "../../../base/errors.ts";

/** libpq's words, without `allow` and `prefer`, which protect nothing. */
const SSL_MODES = ["disable", "require", "verify-ca", "verify-full"] as const;
type SslMode = (typeof SSL_MODES)[number];
const OPTIONS = ["sslmode", "sslrootcert", "host"];
const PORT_DEFAULT = 5432;

export interface PostgresTarget {
  /** Host name, address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Undefined: none is sent. */
  readonly password: string | undefined;
  /** Null: not encrypted. */
  readonly tls: PostgresTls | null;
}

export interface PostgresTls {
  /** PEM. Undefined: the system's trusted authorities. */
  readonly ca: string | undefined;
  readonly rejectUnauthorized: boolean;
  /** Whether the certificate must name the host. */
  readonly checksName: boolean;
}

/**
 * `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?sslmode=…&sslrootcert=FILE]`, or
 * `postgres://USER@/DATABASE?host=/FOLDER` for a Unix socket.
 *
 * Without `sslmode`, it is `verify-full` for a remote server and `disable` for one on this machine. Throws
 * ERR_USAGE, and ERR_PERMISSION for a certificate file that cannot be read.
 */
export function parseDatabaseUrl(text: string): PostgresTarget {
  const url = /^postgres(?:ql)?:\/\//.test(text) ? parsed(text) : null;
  if (url === null) throw unusable("it begins with postgres:// and is a URL");
  for (const name of url.searchParams.keys()) {
    if (!OPTIONS.includes(name)) throw unusable(`its options are ${OPTIONS.join(", ")}`);
  }
  const folder = url.searchParams.get("host");
  const named = url.hostname === NO_HOST ? "" : url.hostname.replace(/^\[(.*)\]$/, "$1");
  const host = folder ?? named;
  const database = decoded(url.pathname.slice(1));
  const user = decoded(url.username);
  if (host === "" || database === "" || database.includes("/") || user === "") {
    throw unusable("it names a user, a host and a database: postgres://USER@HOST/DATABASE");
  }
  if (folder !== null && (!folder.startsWith("/") || named !== "")) {
    throw unusable("its option host is the folder of a Unix socket, and there is no other host then");
  }
  return {
    host,
    port: url.port === "" ? PORT_DEFAULT : Number(url.port),
    database,
    user,
    password: url.password === "" ? undefined : decoded(url.password),
    tls: tlsOf(url, host),
  };
}

function tlsOf(url: URL, host: string): PostgresTls | null {
  const isHere = host.startsWith("/") || host === "localhost" || host === "::1" || isLoopback4(host);
  const mode = url.searchParams.get("sslmode") ?? (isHere ? "disable" : "verify-full");
  if (!isSslMode(mode)) throw unusable(`its sslmode is one of ${SSL_MODES.join(", ")}`);
  const file = url.searchParams.get("sslrootcert");
  if (mode === "disable" || host.startsWith("/")) return null;
  return {
    ca: file === null ? undefined : readCertificate(file),
    rejectUnauthorized: mode !== "require" || file !== null,
    checksName: mode === "verify-full",
  };
}

function isLoopback4(host: string): boolean {
  return isIP(host) === 4 && host.startsWith("127.");
}

function isSslMode(word: string): word is SslMode {
  return (SSL_MODES as readonly string[]).includes(word);
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new QfError("ERR_PERMISSION", `${path} cannot be read`, { cause });
  }
}

/** Stand-in host for a URL that names none because it uses a Unix socket. */
const NO_HOST = "none.invalid";

function parsed(text: string): URL | null {
  const url = URL.parse(text.replace(/^(\w+:\/\/[^@/]*@)\//, `$1${NO_HOST}/`));
  return url === null || url.hash !== "" ? null : url;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw unusable("a % in it is followed by two hexadecimal digits");
  }
}

function unusable(hint: string): QfError {
  return new QfError("ERR_USAGE", "the database URL cannot be used", { hint });
}
