/**
 * Options of `qf management serve`, checked before anything is opened.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { isLoopbackHost } from "../identity/strict-fetch.ts";
import { HttpUrl } from "../wire/units.ts";
import { parseShare } from "./contracts/share.ts";
import type { ExternalOidcOptions } from "./idp/settings.ts";
import type { OutletOptions } from "./outlets/start.ts";
import type { RecordingStoreOptions } from "./recordings/store.ts";
import type { ClusterAddress } from "./relay/tunnel-listener.ts";
import type { Executable } from "./releases/own-release.ts";
import { AUDIT_SHARE_BYTES_DEFAULT } from "./sync/audit-share.ts";
import { readTls, type TlsPair } from "./tls-files.ts";

export const LISTEN_DEFAULT = "127.0.0.1:8080";
/** Reachable by other processes on this machine only. */
const CLUSTER_LISTEN_DEFAULT = "127.0.0.1:0";

export interface ServeOptions extends OutletOptions {
  /** Created with mode 0700 if missing. */
  readonly dataDir: string;
  /** Default `<dataDir>/master.key`. */
  readonly masterKeyFile?: string;
  /** `postgres://…`, shared by several processes. Absent: SQLite in the data folder. */
  readonly databaseUrl?: string;
  /** HOST:PORT. Port 0: the port of the last start, or any. Default 127.0.0.1:8080. */
  readonly listen?: string;
  /**
   * Origin at which people and machines reach the server. Default: that of the last start, or the listen URL.
   */
  readonly publicUrl?: string;
  /** Where browsers find the dashboard. Default: the public URL. */
  readonly dashboardUrl?: string;
  /** Allows a `publicUrl` that differs from the last one although peers know that one. */
  readonly move?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /**
   * HOST:PORT where other processes on the same database reach this one, or "none"; port 0 is any. Default
   * 127.0.0.1:0, for processes on one machine. Not with SQLite.
   */
  readonly clusterListen?: string;
  /** HOST:PORT that they dial if it differs, as behind NAT or in a container. Needs `clusterListen`. */
  readonly clusterAdvertise?: string;
  /** HOST:PORT of the relay's plain listener; port 0 is any. Absent: none. */
  readonly relayListen?: string;
  /** A proxy in front terminates TLS and writes X-Forwarded-For. */
  readonly behindProxy?: boolean;
  /** Origins whose pages may call the REST API from a browser. Default: none. */
  readonly apiCorsOrigins?: readonly string[];
  /** Megabytes of audit events accepted from one machine per day, as typed. 0: no limit. Default 1000. */
  readonly auditShareMb?: string;
  /** Appends every entry of the log to this file. Absent: none. */
  readonly auditFile?: string;
  /** Where recordings are stored. Default: `<dataDir>/recordings`. */
  readonly recordings?: Partial<RecordingStoreOptions>;
  /** Megabytes of recordings accepted from one machine per day, as typed. 0: no limit. Default 10000. */
  readonly recordingShareMb?: string;
  /** Folder of releases that machines install, one folder per version. Default `<dataDir>/releases`. */
  readonly releases?: string;
  /** Keys that sign releases. Default: those of this build. */
  readonly releaseKeys?: readonly string[];
  /**
   * Executable served when the releases folder lacks this version. Default: the running one, if it is a
   * build. Null: none.
   */
  readonly executable?: Executable | null;
  /** Absent: the embedded provider. */
  readonly oidc?: ExternalOidcOptions;
  readonly clock?: Clock;
  readonly log?: Log;
}

export interface CheckedListen {
  /** An IPv6 address has no brackets here. */
  readonly hostname: string;
  readonly port: number;
  readonly tls: TlsPair | null;
  /** As given, without a trailing slash. Null: not given. */
  readonly publicOrigin: string | null;
  /** Origin of the dashboard. Null: not given. */
  readonly dashboardOrigin: string | null;
  /** Whether the origin may differ from the last one although peers know that one (`--move`). */
  readonly moves: boolean;
}

/** Throws ERR_USAGE for invalid options, ERR_PERMISSION for a TLS file that cannot be read. */
export async function checkListen(options: ServeOptions): Promise<CheckedListen> {
  const { hostname, port } = parseListen(options.listen ?? LISTEN_DEFAULT);
  const { tlsCert, tlsKey } = options;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new QfError("ERR_USAGE", "--tls-cert and --tls-key go together");
  }
  const tls = tlsCert === undefined || tlsKey === undefined ? null : await readTls(tlsCert, tlsKey);
  if (!isLoopbackHost(bracketed(hostname)) && tls === null && options.behindProxy !== true) {
    throw new QfError("ERR_USAGE", `management does not listen on ${hostname} without TLS`, {
      hint: "give --tls-cert and --tls-key, or --behind-proxy when a proxy in front does TLS",
    });
  }
  return {
    hostname,
    port,
    tls,
    publicOrigin: parseOrigin("--public-url", options.publicUrl),
    dashboardOrigin: parseOrigin("--dashboard-url", options.dashboardUrl),
    moves: options.move === true,
  };
}

const ANY_ADDRESS = /^(0\.0\.0\.0|::|::0|0:0:0:0:0:0:0:0)$/;
/** A host name of 253 characters, a colon and a port. */
const ADVERTISE_CHARS_MAX = 259;

/**
 * Where other processes reach this one. Null: nowhere. Tunnels are sealed by themselves, so they need no TLS
 * off loopback. Throws ERR_USAGE for invalid options.
 */
export function checkClusterListen({
  clusterListen,
  clusterAdvertise,
  databaseUrl,
}: Pick<ServeOptions, "clusterListen" | "clusterAdvertise" | "databaseUrl">): ClusterAddress | null {
  if (databaseUrl === undefined) {
    if (clusterListen === undefined && clusterAdvertise === undefined) return null;
    const flag = clusterListen === undefined ? "--cluster-advertise" : "--cluster-listen";
    throw new QfError("ERR_USAGE", `${flag} is for several processes on one database`, {
      hint: "give --database-url as well",
    });
  }
  if (clusterAdvertise !== undefined) return advertised(clusterListen, clusterAdvertise);
  if (clusterListen === "none") return null;
  const address = parseListen(clusterListen ?? CLUSTER_LISTEN_DEFAULT, "--cluster-listen");
  if (ANY_ADDRESS.test(address.hostname)) {
    throw new QfError("ERR_USAGE", "--cluster-listen names no address that another process could dial", {
      hint: "name this machine's own, as in 10.0.0.5:8081, or what the others dial with --cluster-advertise",
    });
  }
  return address;
}

/** An advertised address need not be one of this machine's, so an address to listen on must be given too. */
function advertised(clusterListen: string | undefined, clusterAdvertise: string): ClusterAddress {
  if (clusterListen === undefined || clusterListen === "none") {
    throw new QfError("ERR_USAGE", "--cluster-advertise leads nowhere without --cluster-listen", {
      hint: "say where it arrives, as in --cluster-listen 0.0.0.0:8081",
    });
  }
  const told = parseListen(clusterAdvertise, "--cluster-advertise");
  if (told.port === 0 || ANY_ADDRESS.test(told.hostname) || clusterAdvertise.length > ADVERTISE_CHARS_MAX) {
    throw new QfError("ERR_USAGE", "--cluster-advertise names no address that another process could dial", {
      hint: "as in 203.0.113.5:8081 or qf-1.example.com:8081",
    });
  }
  return { ...parseListen(clusterListen, "--cluster-listen"), advertise: clusterAdvertise };
}

/** Where the relay takes plain connections. Null: nowhere. Throws ERR_USAGE. */
export function checkRelayListen({ relayListen }: Pick<ServeOptions, "relayListen">) {
  return relayListen === undefined ? null : parseListen(relayListen, "--relay-listen");
}

/** Bytes per day. 0: no limit. Throws ERR_USAGE when `typed` is not such a number. */
export function checkAuditShare(typed: string | undefined): number {
  return parseShare("--audit-share", typed, AUDIT_SHARE_BYTES_DEFAULT);
}

/**
 * Throws ERR_USAGE for anything but an origin as browsers write it. `*` is refused: it would admit every
 * page.
 */
export function checkCorsOrigins(origins: readonly string[] = []): ReadonlySet<string> {
  for (const origin of origins) {
    const url = HttpUrl.safeParse(origin).success ? new URL(origin) : null;
    if (url !== null && url.origin === origin) continue;
    throw new QfError("ERR_USAGE", "--api-cors-origin is not an origin", {
      hint: "as in https://admin.example.com: scheme and host, no path, no *",
    });
  }
  return new Set(origins);
}

/** The origin of a listening address. */
export function listenOrigin(listen: Pick<CheckedListen, "hostname" | "tls">, port: number): string {
  return new URL(`${listen.tls === null ? "http" : "https"}://${bracketed(listen.hostname)}:${port}`).origin;
}

function parseListen(text: string, flag = "--listen"): { hostname: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new QfError("ERR_USAGE", `${flag} is not HOST:PORT`, { hint: "as in 127.0.0.1:8080 or [::1]:0" });
  }
  return { hostname: match[1] ?? match[2] ?? "", port };
}

function parseOrigin(flag: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  const url = HttpUrl.safeParse(text).success ? new URL(text) : null;
  if (url === null || url.pathname !== "/" || url.search !== "") {
    throw new QfError("ERR_USAGE", `${flag} is not an origin`, { hint: "as in https://qf.example.com" });
  }
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    throw new QfError("ERR_USAGE", `${flag} is not encrypted`, {
      hint: "use https://; http:// is for this machine only",
    });
  }
  return url.origin;
}

function bracketed(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
