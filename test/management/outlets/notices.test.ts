import { describe, expect, test } from "bun:test";
import {
  type NoticedEvent,
  NoticeReader,
  REFUSALS_IN_A_ROW,
} from "../../../src/management/outlets/notices.ts";

let seq = 0;
const event = (change: Partial<NoticedEvent> = {}): NoticedEvent => ({
  seq: ++seq,
  atMs: 1_000,
  activity: "policy.update",
  initiatorId: "u1",
  initiatorName: "Ada",
  initiatorEmail: "ada@example.com",
  targetId: "t1",
  meta: { name: "web" },
  data: null,
  ...change,
});

describe("what people are told of", () => {
  test.each([
    ["policy.update", "policy_change"],
    ["policy.force", "policy_change"],
    ["posture.check.delete", "policy_change"],
    ["account.settings.update", "policy_change"],
    ["peer.user.add", "new_device"],
    ["peer.setupkey.add", "new_device"],
  ] as const)("%s", (activity, topic) => {
    const text = `Ada (ada@example.com): ${activity.replaceAll(".", " ")}, name web`;
    expect(new NoticeReader().take(event({ activity }))).toMatchObject({ topic, text });
  });

  test.each(["login", "ssh.session.start", "group.add", "peer.update", "agent.batch"] as const)(
    "and not %s",
    (activity) => {
      expect(new NoticeReader().take(event({ activity }))).toBeUndefined();
    },
  );

  test("a machine that has seen two logs, and no other state of one", () => {
    const state = (what: string) =>
      event({ activity: "agent.state", meta: { machine: "web1" }, data: { what, detail: "it was forked" } });
    const notice = new NoticeReader().take(state("log_differs"));
    expect(notice).toMatchObject({ topic: "log_inconsistent", text: expect.stringContaining("web1") });
    expect(new NoticeReader().take(state("started"))).toBeUndefined();
  });
});

describe("refused sign-ins", () => {
  const refused = (change: Partial<NoticedEvent> = {}) => event({ activity: "ssh.decision.deny", ...change });
  const take = (events: readonly NoticedEvent[]) => {
    const reader = new NoticeReader();
    return events.map((one) => reader.take(one)?.topic);
  };
  const many = (count: number, change: Partial<NoticedEvent> = {}) =>
    Array.from({ length: count }, () => refused(change));

  test("are told of once in a row of five, and again after five more", () => {
    const told = take(many(2 * REFUSALS_IN_A_ROW));
    expect(told.map((topic) => topic !== undefined)).toEqual([
      ...[false, false, false, false, true],
      ...[false, false, false, false, true],
    ]);
  });

  test.each([
    ["four", many(REFUSALS_IN_A_ROW - 1)],
    ["with a success between", [...many(3), event({ activity: "certificate.issue" }), ...many(3)]],
    ["of two people", [...many(3), ...many(3, { initiatorId: "u2" })]],
    ["over hours", many(5).map((one, i) => ({ ...one, atMs: i * 3_600_000 }))],
  ])("%s are none", (_name, events) => {
    expect(take(events).filter((topic) => topic !== undefined)).toEqual([]);
  });

  test("of nobody who is known are counted by their place", () => {
    const at = (source: string): Partial<NoticedEvent> => ({
      activity: "login.failed",
      initiatorId: "sys",
      targetId: "",
      meta: { source },
    });
    const mixed = [...many(3, at("192.0.2.1")), ...many(3, at("192.0.2.2"))];
    expect(take(mixed).filter((topic) => topic !== undefined)).toEqual([]);
    expect(take(many(5, at("192.0.2.1"))).at(-1)).toBe("sign_in_refused");
  });

  test("that a machine has counted are many at once", () => {
    const data = { sourceAddress: "192.0.2.1", count: 40 };
    expect(take([event({ activity: "ssh.auth.failed", initiatorId: "sys", data })])).toEqual([
      "sign_in_refused",
    ]);
  });

  test("a copy goes on by itself", () => {
    const reader = new NoticeReader();
    for (const one of many(4)) reader.take(one);
    expect(reader.copy().take(refused())?.topic).toBe("sign_in_refused");
    expect(reader.take(refused())?.topic).toBe("sign_in_refused");
  });
});

test("a notice is one printable line of bounded length", () => {
  const meta = { name: `${"x".repeat(500)}`, note: "a\u001b]0;t\u0007\nb" };
  const text = new NoticeReader().take(event({ meta }))?.text ?? "";
  expect(text).not.toMatch(/[\u0000-\u001f]/);
  expect(text.length).toBeLessThan(400);
});
