/**
 * Answers to DNS queries (RFC 1035) for `--resolver`: addresses of machines under one domain.
 *
 * Pure. Queries are never forwarded. A name outside the domain is refused, so that clients ask their other
 * servers. An unknown name within it does not exist.
 *
 * @module
 */

/** The names that are answered, in lower case and without a trailing dot. */
export interface Zone {
  readonly domain: string;
  /** IPv4 addresses by whole name. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** How long an answer may be cached, in seconds. Policy makes machines come and go. */
const TTL_SECONDS = 5;
const HEADER_BYTES = 12;
const LABEL_BYTES_MAX = 63;
const NAME_BYTES_MAX = 255;
/** UDP payload size that is advertised to clients, as RFC 9715 recommends. */
const UDP_BYTES_MAX = 1_232;

const TYPE = { a: 1, soa: 6, opt: 41, any: 255 } as const;
const CLASS = { in: 1, any: 255 } as const;
const CODE = { ok: 0, formatError: 1, noSuchName: 3, notImplemented: 4, refused: 5 } as const;
const IS_ANSWER = 0x8000;
const AUTHORITATIVE = 0x0400;
const OPCODE = 0x7800;
/** The "recursion desired" bit, copied into the answer. */
const WISHES = 0x0100;
/** A pointer to the question's name, for records of the same name (RFC 1035 section 4.1.4). */
const SAME_NAME = Buffer.from([0xc0, HEADER_BYTES]);

interface Question {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Offset of the first byte after the question. */
  readonly end: number;
}

/** The answer to `query`. Null: the message is not a query, and gets no answer. */
export function answerOf(query: Buffer, zone: Zone): Buffer | null {
  if (query.length < HEADER_BYTES || (query.readUInt16BE(2) & IS_ANSWER) !== 0) return null;
  if ((query.readUInt16BE(2) & OPCODE) !== 0) return message(query, { code: CODE.notImplemented });
  const question = query.readUInt16BE(4) === 1 ? readQuestion(query) : null;
  if (question === null) return message(query, { code: CODE.formatError });
  const { domain, addresses } = zone;
  const isOurs = question.name === domain || question.name.endsWith(`.${domain}`);
  if (!isOurs || (question.class !== CLASS.in && question.class !== CLASS.any))
    return message(query, { code: CODE.refused, question });
  const address = addresses.get(question.name);
  const nothing = { question, authority: [startOfAuthority(zone)] };
  if (address === undefined && question.name !== domain)
    return message(query, { code: CODE.noSuchName, ...nothing });
  if (address !== undefined && (question.type === TYPE.a || question.type === TYPE.any))
    return message(query, { code: CODE.ok, question, answers: [addressRecord(address)] });
  if (question.name === domain && (question.type === TYPE.soa || question.type === TYPE.any))
    return message(query, { code: CODE.ok, question, answers: nothing.authority });
  return message(query, { code: CODE.ok, ...nothing });
}

/** Null: the question is malformed. Compression is not accepted in a question. */
function readQuestion(query: Buffer): Question | null {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > LABEL_BYTES_MAX) return null;
    at += 1;
    if (length === 0) break;
    labels.push(query.toString("latin1", at, at + length).toLowerCase());
    at += length;
    if (at - HEADER_BYTES > NAME_BYTES_MAX) return null;
  }
  if (at + 4 > query.length) return null;
  const name = labels.join(".");
  return { name, type: query.readUInt16BE(at), class: query.readUInt16BE(at + 2), end: at + 4 };
}

interface Answer {
  readonly code: number;
  readonly question?: Question;
  readonly answers?: readonly Buffer[];
  readonly authority?: readonly Buffer[];
}

function message(query: Buffer, { code, question, answers = [], authority = [] }: Answer): Buffer {
  const extra = question !== undefined && hasOptions(query, question) ? [options()] : [];
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  const asked = query.readUInt16BE(2);
  const authoritative = code === CODE.ok || code === CODE.noSuchName ? AUTHORITATIVE : 0;
  header.writeUInt16BE(IS_ANSWER | authoritative | (asked & (OPCODE | WISHES)) | code, 2);
  header.writeUInt16BE(question === undefined ? 0 : 1, 4);
  header.writeUInt16BE(answers.length, 6);
  header.writeUInt16BE(authority.length, 8);
  header.writeUInt16BE(extra.length, 10);
  const asIs = question === undefined ? Buffer.alloc(0) : query.subarray(HEADER_BYTES, question.end);
  return Buffer.concat([header, asIs, ...answers, ...authority, ...extra]);
}

/** Whether the query has an OPT record (RFC 6891); clients put it first. */
function hasOptions(query: Buffer, { end }: Question): boolean {
  const isFirst = query.readUInt16BE(6) + query.readUInt16BE(8) === 0 && query.readUInt16BE(10) > 0;
  return isFirst && end + 3 <= query.length && query[end] === 0 && query.readUInt16BE(end + 1) === TYPE.opt;
}

function options(): Buffer {
  const record = Buffer.alloc(11);
  record.writeUInt16BE(TYPE.opt, 1);
  record.writeUInt16BE(UDP_BYTES_MAX, 3);
  return record;
}

function addressRecord(address: string): Buffer {
  return record(SAME_NAME, TYPE.a, Buffer.from(address.split(".").map(Number)));
}

/** The SOA record, which says how long a negative answer may be cached (RFC 2308). */
function startOfAuthority({ domain }: Zone): Buffer {
  const times = Buffer.alloc(20);
  for (let at = 4; at < 20; at += 4) times.writeUInt32BE(TTL_SECONDS, at);
  const name = written(domain);
  return record(name, TYPE.soa, Buffer.concat([name, written(`hostmaster.${domain}`), times]));
}

function record(name: Buffer, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(CLASS.in, 2);
  head.writeUInt32BE(TTL_SECONDS, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([name, head, data]);
}

function written(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.from(label, "latin1"));
  return Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), label]), Buffer.alloc(1)]);
}
