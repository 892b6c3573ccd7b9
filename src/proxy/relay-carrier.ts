/**
 * The helper for a peer reached through the relay. ssh gets one end of a socket pair instead of a connection,
 * and the helper relays bytes between the other end and the relay. It inspects nothing and holds no key. Only
 * `qf proxy connect` starts it.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { isQfError, QfError } from "../base/errors.ts";
import { parseJson } from "../base/files.ts";
import { compileHotCode } from "../base/jit-policy.ts";
import { ownCommand } from "../base/own-command.ts";
import { printable } from "../base/printable.ts";
import { dialRelay, type RelayDialOptions } from "../fabric/relay-client.ts";
import { CarryOrder } from "../wire/relay-carrier.ts";
import { joinDescriptor } from "./join-descriptor.ts";
import { socketPair } from "./native.ts";

/** Carries the order. It is worthless once used, and other users cannot read the environment. */
const ORDER_VARIABLE = "QF_CARRY_ORDER";
/** Variables that set TLS trust, passed on. */
const TRUST_VARIABLES = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"] as const;
/** One end of the socket pair; stdin is the same end. */
const STREAM_FD = 1;
const ANSWER_FD = 2;
const ANSWER_BYTES_MAX = 4_096;
const OK = "ok";

/** A relayed stream with its helper. */
export interface Carried {
  /** The end for ssh, which owns the stream from then on. */
  readonly descriptor: number;
  /** Closes the descriptor, which ends the helper. */
  destroy(): void;
}

/**
 * Starts the helper, detached; resolves once the peer has answered. Throws the failure that the helper
 * reports.
 */
export async function startCarrier(options: RelayDialOptions): Promise<Carried> {
  const { origin, hello, proof, timeoutMs, signal } = options;
  signal?.throwIfAborted();
  const [ours, theirs] = socketPair();
  const order: CarryOrder = { origin, hello, proof, timeoutMs };
  const env: Record<string, string> = { [ORDER_VARIABLE]: JSON.stringify(order) };
  for (const name of TRUST_VARIABLES) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  const child = Bun.spawn([...ownCommand(), "proxy", "carry"], {
    cwd: "/",
    env,
    stdio: [theirs, theirs, "pipe"],
    detached: true,
  });
  closeSync(theirs);
  child.unref();
  const stop = () => child.kill();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const answer = await firstLine(child.stderr);
    signal?.throwIfAborted();
    if (answer !== OK) throw failureOf(answer);
    return { descriptor: ours, destroy: () => closeSync(ours) };
  } catch (cause) {
    closeSync(ours);
    throw cause;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** `qf proxy carry`: stdin and stdout are one end of a socket pair, stderr is a pipe for the answer. */
export async function runCarry(environment: Readonly<Record<string, string | undefined>>): Promise<number> {
  const parsed = CarryOrder.safeParse(parseJson(environment[ORDER_VARIABLE] ?? ""));
  if (!parsed.success) return 2;
  let answer = OK;
  const stream = await dialRelay(parsed.data).catch((error: unknown) => {
    const failure = isQfError(error) ? error : undefined;
    answer = JSON.stringify({ message: failure?.message ?? "it failed", hint: failure?.hint });
    return undefined;
  });
  writeSync(ANSWER_FD, `${answer}\n`);
  if (stream === undefined) return 1;
  // The reader would otherwise wait until we exit.
  closeSync(ANSWER_FD);
  openSync("/dev/null", "w");
  compileHotCode();
  await joinDescriptor(stream, STREAM_FD);
  return 0;
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n") || text.length > ANSWER_BYTES_MAX) break;
  }
  return text.split("\n")[0] ?? "";
}

function failureOf(answer: string): QfError {
  const response = parseJson(answer) as { message?: unknown; hint?: unknown } | undefined;
  const message =
    typeof response?.message === "string" ? printable(response.message) : "the relay cannot be used";
  return new QfError("ERR_PEER_UNREACHABLE", message, {
    ...(typeof response?.hint === "string" ? { hint: printable(response.hint) } : {}),
  });
}
