/**
 * The greeting of `qf proxy socks`: SOCKS version 5 with name and password (RFC 1928, RFC 1929), or HTTP
 * CONNECT with the same (RFC 9110 sections 9.3.6 and 11.7). Pure: takes bytes, returns the answer and
 * destination.
 *
 * A request that a web page makes a browser send gets no answer.
 *
 * @module
 */
import { isEqualSecret } from "../base/random.ts";

/** Generated at each start. Programs that have them may use the proxy. */
export interface ProxySecret {
  readonly name: string;
  readonly password: string;
}

export type GreetingStep =
  /** More bytes are needed; `answer` is sent now, and may be empty. */
  | { readonly kind: "more"; readonly answer: Buffer; readonly used: number }
  | {
      readonly kind: "connect";
      readonly host: string;
      readonly port: number;
      readonly used: number;
      /** One of these is sent once the outcome is known. */
      readonly granted: Buffer;
      readonly denied: Buffer;
      readonly unreachable: Buffer;
    }
  /** Unsupported; `answer` says so if the protocol allows it, and may be empty. */
  | { readonly kind: "bad"; readonly answer: Buffer };

/** Longest greeting in bytes. */
export const GREETING_BYTES_MAX = 8_192;
const NOTHING: Buffer = Buffer.alloc(0);
const VERSION = 5;
const WITH_PASSWORD = 2;
const NO_METHOD = 0xff;
const CONNECT = 1;
const IPV4 = 1;
const DOMAIN = 3;
/** RFC 1928 section 6. */
const REPLY = { granted: 0, denied: 2, unreachable: 4, commandUnknown: 7, addressUnknown: 8 } as const;

/** A reader of one greeting. Pass it all unconsumed bytes. */
export function createGreetingReader(secret: ProxySecret): (bytes: Buffer) => GreetingStep {
  let stage: "methods" | "password" | "request" = "methods";
  return (bytes) => {
    const first = bytes[0];
    if (first === undefined) return more();
    if (bytes.length > GREETING_BYTES_MAX) return bad();
    if (stage === "methods" && first !== VERSION) return readHttp(bytes, secret);
    if (stage === "request") return readRequest(bytes);
    const step = stage === "methods" ? readMethods(bytes) : readPassword(bytes, secret);
    if (step.kind === "more" && step.used > 0) stage = stage === "methods" ? "password" : "request";
    return step;
  };
}

function readMethods(bytes: Buffer): GreetingStep {
  const length = 2 + (bytes[1] ?? 255);
  if (bytes.length < length) return more();
  const isOffered = bytes.subarray(2, length).includes(WITH_PASSWORD);
  return isOffered
    ? more(Buffer.from([VERSION, WITH_PASSWORD]), length)
    : bad(Buffer.from([VERSION, NO_METHOD]));
}

function readPassword(bytes: Buffer, secret: ProxySecret): GreetingStep {
  if (bytes[0] !== 1) return bad();
  const nameEnd = 2 + (bytes[1] ?? 255);
  const end = nameEnd + 1 + (bytes[nameEnd] ?? 255);
  if (bytes.length < end) return more();
  const name = bytes.toString("utf8", 2, nameEnd);
  const password = bytes.toString("utf8", nameEnd + 1, end);
  return isSecret({ name, password }, secret) ? more(Buffer.from([1, 0]), end) : bad(Buffer.from([1, 1]));
}

function readRequest(bytes: Buffer): GreetingStep {
  if (bytes[0] !== VERSION) return bad();
  if (bytes.length < 5) return more();
  const [, command, , type, first = 0] = bytes;
  if (command !== CONNECT) return bad(reply("commandUnknown"));
  if (type !== IPV4 && type !== DOMAIN) return bad(reply("addressUnknown"));
  const end = 4 + (type === IPV4 ? 4 : 1 + first);
  if (bytes.length < end + 2) return more();
  const host = type === IPV4 ? [...bytes.subarray(4, end)].join(".") : bytes.toString("utf8", 5, end);
  return {
    ...{ kind: "connect", host, port: bytes.readUInt16BE(end), used: end + 2 },
    granted: reply("granted"),
    denied: reply("denied"),
    unreachable: reply("unreachable"),
  };
}

function reply(code: keyof typeof REPLY): Buffer {
  return Buffer.from([VERSION, REPLY[code], 0, IPV4, 0, 0, 0, 0, 0, 0]);
}

const HEAD_END = "\r\n\r\n";
/** Headers that only browsers send, never SSH programs. */
const OF_BROWSERS = /^(?:origin|referer|cookie|sec-[a-z-]+)$/;

function readHttp(bytes: Buffer, secret: ProxySecret): GreetingStep {
  const text = bytes.toString("latin1");
  if (!"CONNECT ".startsWith(text.slice(0, 8))) return bad();
  const end = text.indexOf(HEAD_END);
  if (end === -1) return more();
  const [line = "", ...fields] = text.slice(0, end).split("\r\n");
  const [, host = "", port = ""] = /^CONNECT ([^\s/@?#:]{1,253}):(\d{1,5}) HTTP\/1\.[01]$/.exec(line) ?? [];
  const headers = fields.map((field) => /^([A-Za-z0-9-]+):[ \t]*(.*?)[ \t]*$/.exec(field));
  const names = headers.map((header) => header?.[1]?.toLowerCase());
  if (host === "" || Number(port) > 65_535) return bad();
  if (names.some((name) => name === undefined || OF_BROWSERS.test(name))) return bad();
  const given = headers.filter((_, index) => names[index] === "proxy-authorization");
  const [, scheme = "", credentials = ""] = /^(\S+) +(\S+)$/.exec(given[0]?.[2] ?? "") ?? [];
  const wanted = Buffer.from(`${secret.name}:${secret.password}`).toString("base64");
  if (given.length !== 1 || scheme.toLowerCase() !== "basic" || !isEqualSecret(credentials, wanted)) {
    return bad(answer("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="qf"\r\n'));
  }
  return {
    ...{ kind: "connect", host, port: Number(port), used: end + HEAD_END.length },
    granted: Buffer.from("HTTP/1.1 200 Connected\r\n\r\n"),
    denied: answer("403 Forbidden"),
    unreachable: answer("502 Bad Gateway"),
  };
}

function answer(status: string, fields = ""): Buffer {
  return Buffer.from(`HTTP/1.1 ${status}\r\n${fields}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}

function isSecret(given: ProxySecret, secret: ProxySecret): boolean {
  const isName = isEqualSecret(given.name, secret.name);
  return isEqualSecret(given.password, secret.password) && isName;
}

function more(given = NOTHING, used = 0): GreetingStep {
  return { kind: "more", answer: given, used };
}

function bad(given = NOTHING): GreetingStep {
  return { kind: "bad", answer: given };
}
