import { describe, expect, test } from "bun:test";
import { DEFAULT_PENALTIES, parsePenalties, SshLimitFlags } from "../../src/wire/ssh-limits.ts";

describe("parsePenalties", () => {
  test("takes no and yes", () => {
    expect(parsePenalties("no")).toBeNull();
    expect(parsePenalties("yes")).toEqual(DEFAULT_PENALTIES);
  });

  test("takes words over the defaults, as sshd_config has them", () => {
    const rules = parsePenalties("authfail:1m, noauth:0  max:1h min:20 max-sources:100");
    expect(rules).toEqual({
      seconds: { ...DEFAULT_PENALTIES.seconds, authfail: 60, noauth: 0 },
      minSeconds: 20,
      maxSeconds: 3600,
      sourcesMax: 100,
    });
  });

  test.each([
    "",
    " , ",
    "maybe",
    "authfail",
    "authfail:",
    "authfail:5x",
    "authfail:-5s",
    "authfail:1.5s",
    "toString:5s",
    "max-sources:0",
    "max-sources:5s",
    "authfail:25h",
    "max-sources:9999999",
    "no authfail:5s",
  ])("refuses %j", (text) => {
    expect(parsePenalties(text)).toBeUndefined();
  });
});

test.each([
  ["sshLoginGraceTimeSeconds", 0],
  ["sshMaxAuthTries", 21],
  ["sshMaxStartups", 0],
  ["sshMaxPacketSize", 34_999],
  ["sshMaxPacketSize", 1_048_577],
  ["sshMaxChannels", 0],
  ["sshIdleTimeoutSeconds", 1.5],
  ["sshPerSourcePenalties", "sometimes"],
  ["sshPerSourcePenaltyExemptList", ["10.0.0.0/33"]],
  ["sshPerSourcePenaltyExemptList", ["host.example"]],
])("%s does not take %p", (key, value) => {
  expect(SshLimitFlags.safeParse({ [key]: value }).success).toBe(false);
});

test("every limit may be absent, null or in its bounds", () => {
  for (const value of [{}, { sshMaxSessions: null }, { sshMaxSessions: 0, sshIdleTimeoutSeconds: 0 }]) {
    expect(SshLimitFlags.safeParse(value).success).toBe(true);
  }
  const ranges = ["192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "::1"];
  expect(SshLimitFlags.safeParse({ sshPerSourcePenaltyExemptList: ranges }).success).toBe(true);
});
