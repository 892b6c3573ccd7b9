import { describe, expect, test } from "bun:test";
import {
  agentPenalties,
  createPenalties,
  type PenaltySource,
} from "../../../src/agent/contracts/penalties.ts";
import { silentLog } from "../../../src/base/log.ts";
import { DEFAULT_PENALTIES, type PenaltyRules } from "../../../src/wire/ssh-limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { anId } from "../../support/policy.ts";

const at = (address: string, port: "hello" | "ssh" = "ssh"): PenaltySource => ({
  peerId: null,
  address,
  port,
});
const HOME = at("192.0.2.1");

function open(change: Partial<PenaltyRules> = {}, exempt: readonly string[] = []) {
  const clock = new FakeClock();
  const refused: number[] = [];
  const penalties = createPenalties({
    clock,
    rules: () => ({ ...DEFAULT_PENALTIES, ...change }),
    exempt: () => exempt,
    onRefused: (_source, seconds) => refused.push(seconds),
  });
  return { clock, penalties, refused };
}

describe("a source", () => {
  test("is refused once it owes the least that counts, and until all of it is over", () => {
    const { clock, penalties, refused } = open();
    for (let i = 0; i < 2; i++) penalties.add(HOME, "authfail");
    expect(penalties.isRefused(HOME)).toBe(false);
    penalties.add(HOME, "authfail");
    expect(penalties.isRefused(HOME)).toBe(true);
    expect(refused).toEqual([15]);
    clock.advanceMs(14_999);
    expect(penalties.isRefused(HOME)).toBe(true);
    clock.advanceMs(1);
    expect(penalties.isRefused(HOME)).toBe(false);
    penalties.add(HOME, "authfail");
    expect(penalties.isRefused(HOME)).toBe(false);
  });

  test("that fails now and then never owes enough", () => {
    const { clock, penalties } = open();
    for (let i = 0; i < 100; i++) {
      penalties.add(HOME, "authfail");
      clock.advanceMs(5_000);
      expect(penalties.isRefused(HOME)).toBe(false);
    }
  });

  test("owes no more than the most there is", () => {
    const { clock, penalties } = open();
    for (let i = 0; i < 1_000; i++) penalties.add(HOME, "protocol-error");
    clock.advanceMs(600_000);
    expect(penalties.isRefused(HOME)).toBe(false);
  });

  test("owes nothing for what is set to 0", () => {
    const { penalties } = open({ seconds: { ...DEFAULT_PENALTIES.seconds, noauth: 0 } });
    for (let i = 0; i < 100; i++) penalties.add(HOME, "noauth");
    expect(penalties.isRefused(HOME)).toBe(false);
  });
});

describe("what counts as one source", () => {
  const fail = (source: PenaltySource) => {
    const { penalties } = open();
    for (let i = 0; i < 3; i++) penalties.add(source, "authfail");
    return penalties;
  };

  test.each([
    ["an address", HOME, at("192.0.2.1"), true],
    ["the same, mapped into IPv6", HOME, at("::ffff:192.0.2.1"), true],
    ["another address", HOME, at("192.0.2.2"), false],
    ["another of the same /64", at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"), true],
    ["another /64", at("2001:db8:1:2::1"), at("2001:db8:1:3::1"), false],
    ["the same address at the port of peers", HOME, at("192.0.2.1", "hello"), false],
    ["a device at the address of a stranger", HOME, { ...HOME, peerId: anId("laptop") }, false],
    [
      "a device at another address",
      { ...HOME, peerId: anId("laptop") },
      { ...at("198.51.100.7"), peerId: anId("laptop") },
      true,
    ],
    [
      "the program of another account that a device carries",
      { ...HOME, peerId: anId("laptop"), localUser: "eve" },
      { ...HOME, peerId: anId("laptop"), localUser: "ada" },
      false,
    ],
    [
      "the device itself, beside a program that it carries",
      { ...HOME, peerId: anId("laptop"), localUser: "eve" },
      { ...HOME, peerId: anId("laptop") },
      false,
    ],
    [
      "the same program by another way",
      { ...HOME, peerId: anId("laptop"), localUser: "eve" },
      { ...at("198.51.100.7"), peerId: anId("laptop"), localUser: "eve" },
      true,
    ],
    [
      "a stranger at the address of a device, as behind a relay",
      { ...HOME, peerId: anId("laptop") },
      HOME,
      false,
    ],
  ])("%s", (_name, failing, asking, isSame) => {
    expect(fail(failing).isRefused(asking)).toBe(isSame);
  });

  test("addresses that are exempt are never refused; devices there are", () => {
    const { penalties } = open({}, ["192.0.2.0/24", "2001:db8::1"]);
    const device = { ...HOME, peerId: anId("laptop") };
    for (const source of [HOME, at("2001:db8::1"), at("2001:db8::2"), device]) {
      for (let i = 0; i < 3; i++) penalties.add(source, "authfail");
    }
    expect(penalties.isRefused(HOME)).toBe(false);
    expect(penalties.isRefused(device)).toBe(true);
    // One address of a /64 is excused, the rest of it is not, and owes for itself only.
    expect(penalties.isRefused(at("2001:db8::1"))).toBe(false);
    expect(penalties.isRefused(at("2001:db8::2"))).toBe(true);
  });
});

test("what an exempt address does is not counted for the rest of its /64", () => {
  const { penalties } = open({}, ["2001:db8::1"]);
  for (let i = 0; i < 100; i++) penalties.add(at("2001:db8::1"), "authfail");
  expect(penalties.isRefused(at("2001:db8::2"))).toBe(false);
});

test("a source that is refused and fails again waits until all of it is over", () => {
  const { clock, penalties } = open();
  for (let i = 0; i < 3; i++) penalties.add(HOME, "authfail");
  clock.advanceMs(14_000);
  // It owes less now than what begins a refusal.
  penalties.add(HOME, "authfail");
  expect(penalties.isRefused(HOME)).toBe(true);
  clock.advanceMs(5_999);
  expect(penalties.isRefused(HOME)).toBe(true);
  clock.advanceMs(1);
  expect(penalties.isRefused(HOME)).toBe(false);
});

test("the table is bounded: the oldest are forgotten, the newest are not", () => {
  const { penalties } = open({ sourcesMax: 100 });
  for (let i = 0; i < 1_000; i++) {
    for (let k = 0; k < 3; k++) penalties.add(at(`10.0.${i >> 8}.${i & 255}`), "authfail");
  }
  expect(penalties.isRefused(at("10.0.3.231"))).toBe(true);
  expect(penalties.isRefused(at("10.0.0.1"))).toBe(false);
  const remembered = Array.from({ length: 1_000 }, (_, i) => at(`10.0.${i >> 8}.${i & 255}`));
  expect(remembered.filter((source) => penalties.isRefused(source)).length).toBeLessThanOrEqual(100);
});

test("the flags of an agent count as they change", () => {
  let flags: { sshPerSourcePenalties?: string | null } = {};
  const penalties = agentPenalties({ clock: new FakeClock(), log: silentLog, flags: () => flags });
  for (let i = 0; i < 3; i++) penalties.add(HOME, "authfail");
  expect(penalties.isRefused(HOME)).toBe(true);
  flags = { sshPerSourcePenalties: "no" };
  expect(penalties.isRefused(HOME)).toBe(false);
  flags = { sshPerSourcePenalties: null };
  expect(penalties.isRefused(HOME)).toBe(true);
});
