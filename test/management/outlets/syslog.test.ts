import { expect, test } from "bun:test";
import { syslogFrame } from "../../../src/management/outlets/syslog.ts";

const entry = {
  host: "qf.example.com",
  accountId: "acc",
  seq: 7,
  atMs: Date.UTC(2026, 10, 20),
  activity: "policy.update",
  line: '{"seq":7}',
};

test("syslogFrame writes RFC 5424 with its length before it", () => {
  const text = syslogFrame(entry).toString("utf8");
  const message =
    "<109>1 2026-11-20T00:00:00.000Z qf.example.com qufabric - policy.update " +
    '[qufabric@32473 account="acc" seq="7" activity="policy.update"] \ufeff{"seq":7}';
  expect(text).toBe(`${Buffer.byteLength(message)} ${message}`);
});

test.each([
  ["ssh.decision.deny", 108],
  ["login.failed", 108],
  ["ssh.session.start", 110],
  ["agent.gap", 105],
  ["group.add", 109],
])("the severity of %s makes it <%i>", (activity, priority) => {
  expect(syslogFrame({ ...entry, activity }).toString()).toContain(` <${priority}>1 `);
});

test("no text of an entry begins another message or ends its own element", () => {
  const hostile = { ...entry, activity: 'a"]\\\n<34>1', host: "a b\nc", atMs: null };
  const text = syslogFrame(hostile).toString("utf8");
  expect(text).toContain('activity="a\\"\\]\\\\ <34>1"');
  expect(text).toContain("1 - abc qufabric - ");
  expect(Number(text.split(" ", 1)[0])).toBe(Buffer.byteLength(text.slice(text.indexOf(" ") + 1)));
});
