import { expect, test } from "bun:test";
import { AuditStreamWrite, ChannelTarget, StreamTarget } from "../../src/wire/outlet-api.ts";

const target = { type: "webhook", url: "https://hook.example.com/in?x=1" };

test("what is left out has its default", () => {
  expect(AuditStreamWrite.parse({ name: "siem", target })).toEqual({
    ...{ name: "siem", target: target as never, enabled: true, from: "now", rotate_secret: false },
  });
  const syslog = { type: "syslog", host: "logs.example.com", port: 6514 };
  expect(StreamTarget.parse(syslog)).toEqual({ ...syslog, tls: true } as never);
});

test.each([
  { type: "webhook", url: "http://hook.example.com/" },
  { type: "webhook", url: "https://user@hook.example.com/" },
  { type: "webhook", url: `https://hook.example.com/${"x".repeat(2048)}` },
  { type: "slack", url: "http://hooks.slack.com/" },
  { type: "email", to: [] },
  { type: "email", to: ["a@b.c\r\nBcc: d@e.f"] },
  { type: "email", to: Array.from({ length: 21 }, (_, i) => `a${i}@example.com`) },
  { type: "file", path: "/etc/passwd" },
])("%j is no target", (value) => {
  expect(ChannelTarget.safeParse(value).success).toBe(false);
});
