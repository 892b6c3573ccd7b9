import { expect, test } from "bun:test";
import fc from "fast-check";
import { answerOf } from "../../../src/agent/intercept/name-answers.ts";

const ZONE = {
  domain: "qf.internal",
  addresses: new Map([
    ["web1.qf.internal", "100.64.0.2"],
    ["db1.qf.internal", "100.127.255.254"],
  ]),
};
const A = 1;
const [SOA, AAAA, ANY, TXT] = [6, 28, 255, 16];
const [OK, FORMAT_ERROR, NO_SUCH_NAME, NOT_IMPLEMENTED, REFUSED] = [0, 1, 3, 4, 5];

interface Asked {
  readonly type?: number;
  readonly class?: number;
  readonly flags?: number;
  readonly questions?: number;
  readonly options?: boolean;
}

function query(name: string, asked: Asked = {}): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xbeef, 0);
  head.writeUInt16BE(asked.flags ?? 0x0100, 2);
  head.writeUInt16BE(asked.questions ?? 1, 4);
  head.writeUInt16BE(asked.options === true ? 1 : 0, 10);
  const labels = name === "" ? [] : name.split(".").map((one) => Buffer.from(one, "latin1"));
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(asked.type ?? A, 0);
  tail.writeUInt16BE(asked.class ?? 1, 2);
  const options = asked.options === true ? [Buffer.from([0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0])] : [];
  return Buffer.concat([
    head,
    ...labels.flatMap((one) => [Buffer.from([one.length]), one]),
    Buffer.from([0]),
    tail,
    ...options,
  ]);
}

function answered(bytes: Buffer | null) {
  if (bytes === null) return null;
  const flags = bytes.readUInt16BE(2);
  const [answers, authority, additional] = [6, 8, 10].map((at) => bytes.readUInt16BE(at));
  // An address is the last of the answer, but for the options (11 bytes).
  const end = bytes.length - 11 * (additional ?? 0);
  const address = answers === 1 ? [...bytes.subarray(end - 4, end)].join(".") : null;
  const isAuthority = (flags & 0x0400) !== 0;
  return {
    id: bytes.readUInt16BE(0),
    code: flags & 15,
    flags,
    answers,
    authority,
    additional,
    address,
    isAuthority,
  };
}

test("a machine's name has its address, in any case, with recursion neither had nor offered", () => {
  for (const name of ["web1.qf.internal", "WEB1.Qf.Internal"]) {
    const answer = answered(answerOf(query(name), ZONE));
    expect(answer).toMatchObject({
      id: 0xbeef,
      code: OK,
      answers: 1,
      address: "100.64.0.2",
      isAuthority: true,
    });
    expect((answer?.flags ?? 0) & 0x0080).toBe(0);
  }
  expect(answered(answerOf(query("db1.qf.internal", { type: ANY }), ZONE))?.address).toBe("100.127.255.254");
});

test.each<
  [what: string, query: Buffer, code: number, records: readonly [answers: number, authority: number]]
>([
  ["a machine that this one may not reach", query("db2.qf.internal"), NO_SUCH_NAME, [0, 1]],
  ["a name below a machine's", query("www.web1.qf.internal"), NO_SUCH_NAME, [0, 1]],
  ["a machine's IPv6 address", query("web1.qf.internal", { type: AAAA }), OK, [0, 1]],
  ["another record of a machine", query("web1.qf.internal", { type: TXT }), OK, [0, 1]],
  ["the domain itself", query("qf.internal"), OK, [0, 1]],
  ["the domain's start of authority", query("qf.internal", { type: SOA }), OK, [1, 0]],
  ["a name of the world", query("example.com"), REFUSED, [0, 0]],
  ["a domain that only ends like ours", query("web1.xqf.internal"), REFUSED, [0, 0]],
  ["the root", query(""), REFUSED, [0, 0]],
  ["an address's name", query("2.0.64.100.in-addr.arpa", { type: 12 }), REFUSED, [0, 0]],
  ["a question of another class", query("web1.qf.internal", { class: 3 }), REFUSED, [0, 0]],
  ["no question", query("web1.qf.internal", { questions: 0 }), FORMAT_ERROR, [0, 0]],
  ["two questions", query("web1.qf.internal", { questions: 2 }), FORMAT_ERROR, [0, 0]],
  ["an update", query("web1.qf.internal", { flags: 5 << 11 }), NOT_IMPLEMENTED, [0, 0]],
  ["a question that was cut", query("web1.qf.internal").subarray(0, 20), FORMAT_ERROR, [0, 0]],
  [
    "a question with compression",
    Buffer.concat([query("").subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
    FORMAT_ERROR,
    [0, 0],
  ],
])("%s is answered with code and records", (_what, asked, code, [answers, authority]) => {
  expect(answered(answerOf(asked, ZONE))).toMatchObject({
    code,
    answers,
    authority,
    address: answers === 0 ? null : expect.any(String),
  });
});

test("options are answered with ours, where there are any", () => {
  expect(answered(answerOf(query("web1.qf.internal"), ZONE))?.additional).toBe(0);
  const bytes = answerOf(query("web1.qf.internal", { options: true }), ZONE);
  expect(answered(bytes)).toMatchObject({ additional: 1, address: "100.64.0.2" });
  expect(bytes?.readUInt16BE((bytes?.length ?? 0) - 8)).toBe(1_232);
});

test.each([
  ["an answer", query("web1.qf.internal", { flags: 0x8100 })],
  ["what is no message", Buffer.from("hello")],
  ["nothing", Buffer.alloc(0)],
])("%s is not answered", (_what, bytes) => {
  expect(answerOf(bytes, ZONE)).toBeNull();
});

test("whatever comes, an answer is short, names its query, and holds no address but of the zone", () => {
  const good = query("web1.qf.internal", { options: true });
  const bent = fc
    .tuple(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length))
    .map(([at, byte, length]) => {
      const bytes = Buffer.from(good);
      bytes[at] = byte;
      return bytes.subarray(0, Math.max(length, at));
    });
  const bytes = fc.oneof(
    bent,
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  );
  fc.assert(
    fc.property(bytes, (asked) => {
      const answer = answerOf(asked, ZONE);
      if (answer === null) return;
      expect(answer.length).toBeLessThan(512);
      expect(answer.subarray(0, 2)).toEqual(asked.subarray(0, 2));
      expect([null, ...ZONE.addresses.values()]).toContain(answered(answer)?.address ?? null);
    }),
  );
});
