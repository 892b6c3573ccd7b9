/**
 * Frames between the agent and the session helper (`session-helper/frames.c`): a length, then numbers and
 * texts, little-endian. The reader checks the form, because PAM modules share the helper's memory.
 *
 * @module
 */
import { constants } from "node:os";
import { assert } from "../../base/assert.ts";
import type { ChildSpec } from "./child-spec.ts";
import type { MonitorAnswer, MonitorOrder } from "./monitor-orders.ts";

/** Longest frame either way. Same as in the helper. */
const FRAME_BYTES_MAX = 2 * 1024 * 1024;
const SPEC_VERSION = 1;
const SPEC_DROPS = 1;
const SPEC_HAS_TERMINAL = 2;
const SESSION_IS_SILENT = 1;
const SESSION_HAS_MODULES = 2;
const ORDER = { account: 1, session: 2, open: 3, end: 4 } as const;
const ANSWER = { account: 1, started: 2, exited: 3, refused: 4, opened: 5, ended: 6 } as const;

/** The fork server's answer: the pid of a new monitor (0: fork failed), or of one that ended. */
export interface ServerAnswer {
  readonly kind: "opened" | "ended";
  readonly pid: number;
}

/** The spec that the native child reads to become a user's program. */
export function encodeSpec(spec: ChildSpec): Buffer {
  return new FrameWriter()
    .number(SPEC_VERSION)
    .number((spec.drop ? SPEC_DROPS : 0) | (spec.tty ? SPEC_HAS_TERMINAL : 0))
    .number(spec.uid)
    .number(spec.gid)
    .text(spec.user)
    .text(spec.home)
    .text(spec.file)
    .texts(spec.argv)
    .texts(Object.entries(spec.env).map(([name, value]) => `${name}=${value}`))
    .text(spec.greeting ?? "")
    .bytes();
}

/** An order, preceded by its length. */
export function encodeOrder(order: MonitorOrder): Buffer {
  const frame = new FrameWriter().number(0);
  if (order.kind === "account") {
    frame.number(ORDER.account).text(order.service).text(order.user).text(order.remoteHost);
  } else {
    const { session } = order;
    frame
      .number(ORDER.session)
      .number((session.isSilent ? SESSION_IS_SILENT : 0) | (session.hasModules ? SESSION_HAS_MODULES : 0))
      .number(session.uid)
      .number(session.gid)
      .text(session.service)
      .text(session.user)
      .text(session.remoteHost)
      .text(session.terminal ?? "")
      .texts(session.command?.words ?? [])
      .texts(Object.entries(session.command?.env ?? {}).map(([name, value]) => `${name}=${value}`));
  }
  return measured(frame);
}

/** Asks the fork server for a monitor. The monitor's socket goes with it. */
export function encodeOpenOrder(): Buffer {
  return measured(new FrameWriter().number(0).number(ORDER.open));
}

/** Asks the fork server to end one of its monitors. */
export function encodeEndOrder(pid: number): Buffer {
  return measured(new FrameWriter().number(0).number(ORDER.end).number(pid));
}

/** Fills in the length of a frame that left room for it. */
function measured(frame: FrameWriter): Buffer {
  const bytes = frame.bytes();
  bytes.writeUInt32LE(bytes.length - 4, 0);
  return bytes;
}

/** Splits a byte stream into a monitor's answers. Throws for anything else. */
export function createAnswers(): (data: Uint8Array) => MonitorAnswer[] {
  return createCutter(readAnswer);
}

/** Splits a byte stream into the fork server's answers. Throws for anything else. */
export function createServerAnswers(): (data: Uint8Array) => ServerAnswer[] {
  return createCutter(readServerAnswer);
}

function createCutter<T>(read: (frame: FrameReader) => T): (data: Uint8Array) => T[] {
  let rest = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    const answers: T[] = [];
    while (rest.length >= 4) {
      const length = rest.readUInt32LE(0);
      assert(length <= FRAME_BYTES_MAX, "an answer has a bound");
      if (rest.length < 4 + length) break;
      const frame = new FrameReader(rest.subarray(4, 4 + length));
      answers.push(read(frame));
      assert(frame.isAtEnd, "an answer ends where its frame ends");
      rest = rest.subarray(4 + length);
    }
    return answers;
  };
}

function readServerAnswer(frame: FrameReader): ServerAnswer {
  const kind = frame.number();
  assert(kind === ANSWER.opened || kind === ANSWER.ended, "an answer is of a known kind");
  return { kind: kind === ANSWER.opened ? "opened" : "ended", pid: frame.number() };
}

function readAnswer(frame: FrameReader): MonitorAnswer {
  const kind = frame.number();
  if (kind === ANSWER.account) return { kind: "account", code: frame.number(), text: frame.text() };
  if (kind === ANSWER.started) {
    return {
      kind: "started",
      pid: frame.number(),
      text: frame.text(),
      words: frame.list(() => frame.text()),
      umask: frame.number(),
      groups: frame.list(() => frame.number()),
      limits: frame.list(() => [frame.number(), frame.wide(), frame.wide()] as const),
    };
  }
  if (kind === ANSWER.exited) {
    const status = frame.number();
    const signal = frame.number();
    return {
      kind: "exited",
      exit: signal === 0 ? { status, signal: null } : { status: null, signal: signalName(signal) },
    };
  }
  assert(kind === ANSWER.refused, "an answer is of a known kind");
  return { kind: "refused", message: frame.text(), text: frame.text() };
}

/** `SIGTERM` and the like. A signal without a name is given by number. */
function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `SIG${number}`;
}

class FrameWriter {
  readonly #parts: Buffer[] = [];

  number(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value, 0);
    this.#parts.push(part);
    return this;
  }

  text(text: string): this {
    const part = Buffer.from(text);
    this.number(part.length);
    this.#parts.push(part);
    return this;
  }

  texts(texts: readonly string[]): this {
    this.number(texts.length);
    for (const text of texts) this.text(text);
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

class FrameReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  number(): number {
    const value = this.#bytes.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  /** 64 bits as decimal digits. */
  wide(): string {
    const value = this.#bytes.readBigUInt64LE(this.#at);
    this.#at += 8;
    return String(value);
  }

  text(): string {
    const length = this.number();
    assert(length <= this.#bytes.length - this.#at, "a text is in its frame");
    this.#at += length;
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }

  list<T>(one: () => T): T[] {
    const count = this.number();
    assert(count * 4 <= this.#bytes.length - this.#at, "a list is in its frame");
    return Array.from({ length: count }, one);
  }
}
