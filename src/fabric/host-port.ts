/**
 * `HOST:PORT` as written in flags, maps and messages; IPv6 in brackets.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { HostPort } from "../wire/units.ts";

export interface Endpoint {
  readonly host: string;
  /** 0 means any free port, for listening only. */
  readonly port: number;
}

/** Host and port of `text`. Throws ERR_USAGE for any other text. */
export function parseHostPort(text: string): Endpoint {
  if (!HostPort.safeParse(text).success) {
    throw new QfError("ERR_USAGE", `${JSON.stringify(text.slice(0, 80))} is not HOST:PORT`, {
      hint: "write 0.0.0.0:22022, or [::]:22022 for IPv6",
    });
  }
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon);
  return { host: host.startsWith("[") ? host.slice(1, -1) : host, port: Number(text.slice(colon + 1)) };
}

/** `HOST:PORT`, with an IPv6 host in brackets. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
