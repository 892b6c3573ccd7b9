/**
 * Forward destinations: parses the client's messages, and says which addresses may be dialled or bound. Pure.
 *
 * @module
 */
import { isIP } from "node:net";
import { SshBufferError, SshReader, SshWriter } from "../../base/ssh-buffer.ts";
import { isMetadataHost, METADATA_ADDRESSES } from "../../policy/decide/capabilities.ts";
import type { Action } from "../../wire/decision.ts";

const HOST_BYTES_MAX = 1024;
/** struct sockaddr_un holds fewer; the kernel refuses longer paths. */
const PATH_BYTES_MAX = 4096;
const PORT_MAX = 65_535;
/** Parsed, so that the notation does not matter. */
const METADATA_WORDS: ReadonlySet<string> = new Set(
  METADATA_ADDRESSES.filter((address) => isIP(address) === 6).map((address) => wordsOf(address).join()),
);

/** An action that has a destination. */
export type ForwardAction = Extract<
  Action,
  { kind: "local_forward" | "local_socket" | "remote_forward" | "remote_socket" | "agent_forwarding" }
>;
export type DirectAction = Extract<Action, { kind: "local_forward" | "local_socket" }>;
export type RemoteAction = Extract<Action, { kind: "remote_forward" | "remote_socket" }>;

/** The destination of a direct channel. Null: another channel type, or malformed. */
export function parseDirect(type: string, fields: Uint8Array): DirectAction | null {
  const reader = new SshReader(fields);
  try {
    if (type === "direct-tcpip") {
      const host = reader.text(HOST_BYTES_MAX);
      const port = reader.uint32();
      return port > PORT_MAX || !isText(host) ? null : { kind: "local_forward", host, port };
    }
    if (type !== "direct-streamlocal@openssh.com") return null;
    const path = reader.text(PATH_BYTES_MAX);
    return isText(path) ? { kind: "local_socket", path } : null;
  } catch (cause) {
    if (cause instanceof SshBufferError) return null;
    throw cause;
  }
}

/** A global request as ssh2 reads it. */
export interface GlobalRequest {
  readonly name: string;
  readonly bindAddr?: string;
  readonly bindPort?: number;
  readonly socketPath?: string;
}

/** The listener that a global request opens or cancels. Null: another request, or malformed. */
export function parseRemote(request: GlobalRequest): RemoteAction | null {
  const { name, bindAddr, bindPort, socketPath } = request;
  if (name.endsWith("tcpip-forward") && bindAddr !== undefined && bindPort !== undefined) {
    const isGood = bindPort <= PORT_MAX && bindAddr.length <= HOST_BYTES_MAX && !bindAddr.includes("\0");
    return isGood ? { kind: "remote_forward", host: bindAddr, port: bindPort } : null;
  }
  if (!name.endsWith("streamlocal-forward@openssh.com") || socketPath === undefined) return null;
  return socketPath.length <= PATH_BYTES_MAX && isText(socketPath)
    ? { kind: "remote_socket", path: socketPath }
    : null;
}

/** Fields of the channel for a connection to `action`'s listener. */
export function forwardedFields(
  action: ForwardAction,
  from: { readonly address: string; readonly port: number },
): { readonly type: string; readonly fields: Uint8Array } {
  const writer = new SshWriter();
  switch (action.kind) {
    case "remote_forward":
      writer.text(action.host).uint32(action.port).text(from.address).uint32(from.port);
      return { type: "forwarded-tcpip", fields: writer.toBuffer() };
    case "remote_socket":
      return {
        type: "forwarded-streamlocal@openssh.com",
        fields: writer.text(action.path).text("").toBuffer(),
      };
    default:
      return { type: "auth-agent@openssh.com", fields: writer.toBuffer() };
  }
}

/** As audit and the session list write it. */
export function describeForward(action: ForwardAction): { readonly flag: string; readonly target: string } {
  switch (action.kind) {
    case "local_forward":
      return { flag: "-L", target: `${bracketed(action.host)}:${action.port}` };
    case "remote_forward":
      return { flag: "-R", target: `${action.host === "" ? "*" : bracketed(action.host)}:${action.port}` };
    case "local_socket":
      return { flag: "-L", target: action.path };
    case "remote_socket":
      return { flag: "-R", target: action.path };
    case "agent_forwarding":
      return { flag: "-A", target: "agent" };
  }
}

/** Addresses that a bind address stands for (RFC 4254 section 7.1). The first one is mandatory. */
export function bindAddresses(host: string): readonly string[] {
  if (host === "" || host === "*") return ["0.0.0.0", "::"];
  if (host === "localhost") return ["127.0.0.1", "::1"];
  return [host.replace(/^\[|\]$/g, "")];
}

/** `host` if it is already an address. Null: it must be resolved. */
export function literalAddress(host: string): string | null {
  const bare = host.replace(/^\[|\]$/g, "");
  return isIP(bare) === 0 ? null : bare;
}

/**
 * Addresses a forward to `host` may reach. A cloud metadata address counts only if the client named it in the
 * form that policy judged, not through a name or another notation.
 */
export function reachableAddresses(host: string, addresses: readonly string[]): readonly string[] {
  if (isMetadataHost(host)) return addresses;
  return addresses.filter((address) => !isMetadataAddress(address));
}

function isMetadataAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, "");
  if (isIP(bare) !== 6) return isMetadataHost(bare);
  const words = wordsOf(bare);
  const [first = 0] = words;
  // All of fe80::/10; isMetadataHost checks text only.
  if ((first & 0xffc0) === 0xfe80) return true;
  if (METADATA_WORDS.has(words.join())) return true;
  const embedded = embeddedIpv4(words);
  return embedded !== null && isMetadataHost(embedded);
}

/** The IPv4 address inside an IPv6 one: mapped, compatible, translated (RFC 6052) or 6to4. */
function embeddedIpv4(words: readonly number[]): string | null {
  const startsWith = (...head: number[]): boolean => head.every((word, index) => words[index] === word);
  const at = startsWith(0x2002)
    ? 1
    : startsWith(0, 0, 0, 0, 0, 0xffff) ||
        startsWith(0, 0, 0, 0, 0, 0) ||
        startsWith(0x64, 0xff9b, 0, 0, 0, 0)
      ? 6
      : -1;
  if (at === -1) return null;
  const [high = 0, low = 0] = words.slice(at, at + 2);
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}

/** The eight words of an IPv6 address that isIP accepted. */
function wordsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [, head = "", a, b, c, d] = dotted ?? [];
  const hex = (high: string | undefined, low: string | undefined): string =>
    (Number(high) * 256 + Number(low)).toString(16);
  const text = dotted === null ? address : `${head}${hex(a, b)}:${hex(c, d)}`;
  const [left = "", right] = text.split("::", 2);
  const parse = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16));
  if (right === undefined) return parse(left);
  const [front, back] = [parse(left), parse(right)];
  return [...front, ...Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0), ...back];
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function isText(text: string): boolean {
  return text !== "" && !text.includes("\0");
}
