import { expect, test } from "bun:test";
import { pageOf, syslogBytes, webhookBody } from "../../../src/management/outlets/page.ts";

const lines = (count: number, length = 10) =>
  Array.from({ length: count }, (_, i) => ({
    seq: i + 1,
    line: JSON.stringify({ x: "y".repeat(length) }),
  }));

test("pageOf stops before the page has too many bytes, and never before its first entry", () => {
  expect(pageOf(lines(3))).toHaveLength(3);
  expect(pageOf(lines(3, 300_000))).toHaveLength(1);
  expect(pageOf(lines(2, 900_000))).toHaveLength(1);
  expect(pageOf([])).toEqual([]);
});

test("webhookBody has entries byte for byte", () => {
  const line = '{"seq":1,"z":1.0,"a":"\\u00e9"}';
  const body = webhookBody({ accountId: "acc", nowMs: 0, lines: [{ seq: 1, line }] });
  expect(body).toContain(line);
  expect(JSON.parse(body)).toMatchObject({
    type: "audit.entries",
    timestamp: "1970-01-01T00:00:00.000Z",
    data: { account_id: "acc", entries: [{ seq: 1 }] },
  });
});

test("syslogBytes tells of an entry whose body is gone", () => {
  const pruned = [{ seq: 3, line: '{"hash":"AAAA","seq":3}' }];
  expect(syslogBytes({ accountId: "acc", host: "h" }, pruned).toString()).toContain('activity="log.pruned"');
});
