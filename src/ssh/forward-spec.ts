/**
 * Arguments of -L, -R, -D and -W, read as ssh(1) reads them. Pure.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

export type Endpoint =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface ForwardSpec {
  readonly direction: "local" | "remote";
  /** Where to listen. An undefined host is the loopback, an empty one every address. */
  readonly listen:
    | { readonly kind: "tcp"; readonly host: string | undefined; readonly port: number }
    | { readonly kind: "unix"; readonly path: string };
  /** Destination. Null: each connection names its own by SOCKS. */
  readonly connect: Endpoint | null;
}

const PORT_MAX = 65_535;
const HOST_LENGTH_MAX = 1024;
/** Capacity of struct sockaddr_un. */
const PATH_BYTES_MAX = 107;

/** `-L`: `[bind:]port:host:port`, or a socket path on either side. Throws ERR_USAGE. */
export function parseLocalForward(text: string): ForwardSpec {
  const bad = (): QfError => usage(`${JSON.stringify(text)} is not [bind_address:]port:host:hostport`);
  const spec = readSpec(text, "local", bad);
  if (spec.connect === null || (spec.listen.kind === "tcp" && spec.listen.port === 0)) throw bad();
  return spec;
}

/**
 * `-R`: as `-L`, or `[bind:]port` alone for SOCKS from there; port 0 lets the peer choose. Throws ERR_USAGE.
 */
export function parseRemoteForward(text: string): ForwardSpec {
  return readSpec(text, "remote", () =>
    usage(`${JSON.stringify(text)} is not [bind_address:]port[:host:hostport]`),
  );
}

/** `-D`: `[bind:]port`. Throws ERR_USAGE. */
export function parseDynamicForward(text: string): ForwardSpec {
  const bad = (): QfError => usage(`${JSON.stringify(text)} is not [bind_address:]port`);
  const spec = readSpec(text, "local", bad);
  if (spec.connect !== null || spec.listen.kind === "unix" || spec.listen.port === 0) throw bad();
  return spec;
}

/** `-W`: `host:port`. Throws ERR_USAGE. */
export function parseStdioForward(text: string): Extract<Endpoint, { kind: "tcp" }> {
  const bad = (): QfError => usage(`${JSON.stringify(text)} is not host:port`);
  const [host, port, ...rest] = splitFields(text, bad);
  if (host === undefined || port === undefined || rest.length > 0 || host === "") throw bad();
  return { kind: "tcp", host, port: readPort(port, 1, bad) };
}

/** A listening place in ssh(1)'s notation: `8080`, `127.0.0.1:8080`, `/run/socket`. */
export function describeListen(listen: ForwardSpec["listen"]): string {
  if (listen.kind === "unix") return listen.path;
  if (listen.host === undefined) return String(listen.port);
  return `${listen.host === "" ? "*" : bracketed(listen.host)}:${listen.port}`;
}

/** A destination for people; with SOCKS the machine's programs choose it. */
export function describeEndpoint(endpoint: Endpoint): string {
  return printable(endpoint.kind === "unix" ? endpoint.path : `${bracketed(endpoint.host)}:${endpoint.port}`);
}

function readSpec(text: string, direction: ForwardSpec["direction"], bad: () => QfError): ForwardSpec {
  const fields = splitFields(text, bad);
  const portMin = direction === "remote" ? 0 : 1;
  const listenCount = listenFields(fields);
  const [head, tail] = [fields.slice(0, listenCount), fields.slice(listenCount)];
  const connect = tail.length === 0 ? null : readEndpoint(tail, bad);
  if (isPath(head[0])) return { direction, listen: { kind: "unix", path: readPath(head[0], bad) }, connect };
  const port = readPort(head.at(-1) ?? "", portMin, bad);
  const host = head.length === 2 ? bindHost(head[0] ?? "") : undefined;
  return { direction, listen: { kind: "tcp", host, port }, connect };
}

/** Number of fields that say where to listen: one for a path or port, one more for an address before it. */
function listenFields(fields: readonly string[]): number {
  if (isPath(fields[0])) return 1;
  const last = fields.at(-1);
  const tail = isPath(last) ? 1 : 2;
  // One or two fields without a path have no destination: SOCKS.
  if (fields.length <= 2 && tail === 2) return fields.length;
  return fields.length - tail;
}

function readEndpoint(fields: readonly string[], bad: () => QfError): Endpoint {
  const [host = "", port] = fields;
  if (port === undefined) return { kind: "unix", path: readPath(host, bad) };
  if (fields.length > 2 || host === "" || isPath(host)) throw bad();
  return { kind: "tcp", host, port: readPort(port, 1, bad) };
}

/** Splits fields at colons outside brackets. */
function splitFields(text: string, bad: () => QfError): string[] {
  const fields: string[] = [];
  const pattern = /(?:\[([^[\]]*)\]|([^:[\]]*))(:|$)/gy;
  for (;;) {
    const match = pattern.exec(text);
    if (match === null) throw bad();
    const field = match[1] ?? match[2] ?? "";
    if (field.length > HOST_LENGTH_MAX || /[\0\s]/.test(field)) throw bad();
    fields.push(field);
    if (match[3] === "") break;
  }
  if (fields.length > 4) throw bad();
  return fields;
}

function isPath(field: string | undefined): field is string {
  return field?.startsWith("/") ?? false;
}

function readPath(field: string, bad: () => QfError): string {
  if (!isPath(field) || Buffer.byteLength(field) > PATH_BYTES_MAX) throw bad();
  return field;
}

function bindHost(field: string): string {
  return field === "*" ? "" : field;
}

function readPort(field: string, portMin: number, bad: () => QfError): number {
  const port = /^\d{1,5}$/.test(field) ? Number(field) : -1;
  if (port < portMin || port > PORT_MAX) throw bad();
  return port;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function usage(message: string): QfError {
  return new QfError("ERR_USAGE", message);
}
