/**
 * Makes, parses and checks hellos, the line that opens a direct or relayed stream and proves which device
 * dials which peer.
 *
 * A check is a pure function of the line and its context, except for the replay cache, which remembers
 * accepted nonces. The caller's network rules (`HelloContext.refuse`) decide who is admitted. `wire/hello.ts`
 * describes the line.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { type Ed25519Key, signEd25519, verifyEd25519 } from "../base/ed25519.ts";
import { parseJson } from "../base/files.ts";
import { CLOCK_SKEW_SECONDS } from "../wire/certificate.ts";
import {
  HELLO_BYTES_MAX,
  HELLO_PREFIX,
  Hello,
  type HelloCheckpoint,
  type HelloVia,
  PING_PORT,
} from "../wire/hello.ts";
import { SSH_ENDPOINT_PORT, SSH_PORT } from "../wire/ports.ts";
import type { ReasonCode } from "../wire/reason.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import type { EpochSeconds, PeerId, Port } from "../wire/units.ts";
import type { ReplayCache } from "./replay-cache.ts";

/** The ports that a hello may name. */
const PORTS: readonly Port[] = [SSH_PORT, SSH_ENDPOINT_PORT, PING_PORT];

/** Part of everything we sign, so that no signature is valid in another account or at another management. */
export interface HelloScope {
  readonly accountId: string;
  readonly origin: string;
}

export interface HelloOptions {
  /** Device key of `source`. */
  readonly deviceKey: Ed25519Key;
  readonly scope: HelloScope;
  readonly source: PeerId;
  readonly target: PeerId;
  readonly port: Port;
  readonly nowSeconds: EpochSeconds;
  /** Checkpoint of the account's log, for a machine that accepts one. */
  readonly checkpoint?: HelloCheckpoint | undefined;
  /** Set when relaying another program's bytes, to a machine that accepts such a stream. */
  readonly via?: HelloVia | undefined;
}

/** A fresh hello, with its newline. Valid for one stream: the target accepts each nonce once. */
export function makeHello(options: HelloOptions): string {
  const { deviceKey, scope, source, target, port, nowSeconds, checkpoint, via } = options;
  const nonce = randomBytes(16).toString("base64url");
  const hello: Hello = {
    ...{ source, target, port, timeSeconds: nowSeconds, nonce },
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(via === undefined ? {} : { via }),
  };
  const signature = signEd25519(deviceKey, signedBytes("hello", scope, signedFields(hello)));
  return `${HELLO_PREFIX}${Buffer.from(JSON.stringify(hello)).toString("base64url")} ${signature}\n`;
}

export interface ParsedHello {
  readonly hello: Hello;
  readonly signature: string;
}

/** The parts of `line` (without its newline), unverified. Null for anything but the exact form. */
export function parseHello(line: string): ParsedHello | null {
  if (line.length >= HELLO_BYTES_MAX || !line.startsWith(HELLO_PREFIX)) return null;
  const match = /^([A-Za-z0-9_-]+) ([A-Za-z0-9_-]{86})$/.exec(line.slice(HELLO_PREFIX.length));
  const [, body, signature] = match ?? [];
  if (body === undefined || signature === undefined) return null;
  const parsed = Hello.safeParse(parseJson(Buffer.from(body, "base64url").toString("utf8")));
  return parsed.success ? { hello: parsed.data, signature } : null;
}

/** Why a hello was refused. For log and audit; the dialler is not told. */
export type HelloRefusal =
  | "malformed"
  | "other_target"
  | "other_port"
  | "clock_skew"
  | "before_start"
  | "source_unknown"
  | "bad_signature"
  | "replayed"
  | "replay_cache_full";

export interface HelloContext {
  readonly scope: HelloScope;
  /** Our own peer id, the only target accepted. */
  readonly self: PeerId;
  /**
   * Hellos made before this time are refused, since this process does not know whether they were used. 0 when
   * no earlier process can have accepted any.
   */
  readonly startSeconds: EpochSeconds;
  readonly nowSeconds: EpochSeconds;
  /** Device key of a peer of the map. Undefined: no such peer. */
  deviceKeyOf(peerId: PeerId): string | undefined;
  /** Why a proven device is not admitted. Null: it is. */
  refuse(hello: Hello): ReasonCode | null;
  readonly replays: ReplayCache;
}

export type HelloAnswer =
  | { readonly ok: true; readonly hello: Hello }
  | {
      readonly ok: false;
      readonly refusal: "not_allowed";
      readonly reason: ReasonCode;
      readonly source: PeerId;
    }
  /** `source` is the peer that the line claims, unproven except for a replay. Null when unreadable. */
  | { readonly ok: false; readonly refusal: HelloRefusal; readonly source: PeerId | null };

/**
 * Checks that `line` (without its newline) proves its source and that the source is admitted. The nonce is
 * remembered last, so that a refused source cannot fill the cache.
 */
export function checkHello(line: string, context: HelloContext): HelloAnswer {
  const parsed = parseHello(line);
  if (parsed === null) return { ok: false, refusal: "malformed", source: null };
  const { hello, signature } = parsed;
  const { source } = hello;
  const unproven = denialOfProof(hello, signature, context);
  if (unproven !== null) return { ok: false, refusal: unproven, source };
  const reason = context.refuse(hello);
  if (reason !== null) return { ok: false, refusal: "not_allowed", reason, source };
  const untilSeconds = hello.timeSeconds + CLOCK_SKEW_SECONDS;
  const outcome = context.replays.take(source, hello.nonce, untilSeconds, context.nowSeconds);
  if (outcome === "fresh") return { ok: true, hello };
  return { ok: false, refusal: outcome === "replayed" ? "replayed" : "replay_cache_full", source };
}

function denialOfProof(hello: Hello, signature: string, context: HelloContext): HelloRefusal | null {
  const { nowSeconds } = context;
  if (hello.target !== context.self) return "other_target";
  if (!PORTS.includes(hello.port)) return "other_port";
  // A stream for another program is only ever SSH.
  if (hello.via !== undefined && hello.port === PING_PORT) return "other_port";
  if (Math.abs(hello.timeSeconds - nowSeconds) > CLOCK_SKEW_SECONDS) return "clock_skew";
  if (hello.timeSeconds < context.startSeconds) return "before_start";
  const deviceKey = context.deviceKeyOf(hello.source);
  if (deviceKey === undefined) return "source_unknown";
  const signed = signedBytes("hello", context.scope, signedFields(hello));
  return verifyEd25519(deviceKey, signed, signature) ? null : "bad_signature";
}

/** The order is part of the signature. */
function signedFields({ source, target, port, timeSeconds, nonce, checkpoint, via }: Hello) {
  return {
    ...{ source, target, port, timeSeconds, nonce },
    ...(checkpoint === undefined ? {} : { checkpoint: checkpointField(checkpoint) }),
    ...(via === undefined ? {} : { via: `${via.by} ${via.localUser ?? ""}` }),
  };
}

function checkpointField({ size, root, signature }: HelloCheckpoint): string {
  return `${size} ${root} ${signature}`;
}
