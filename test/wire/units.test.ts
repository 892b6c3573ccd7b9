/** Names hold nothing that could reach a shell, an ssh_config, a list or a terminal. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PolicyWrite } from "../../src/wire/policy.ts";
import { DnsName, Email, HostLabel, HostPort, HttpUrl, LocalUser } from "../../src/wire/units.ts";

const HOSTILE = [
  "",
  " ",
  "-",
  "-oProxyCommand=id",
  "--help",
  ".",
  "..",
  "a\tb",
  "a\nb",
  "a\r\nb",
  "a\0b",
  "\u001b[31m",
  'a"b',
  "a`id`",
  "$(id)",
  "a$(id)",
  "a$b",
  "a\\",
  "a ",
  " a",
  "a -oProxyCommand=id",
  "a\\ ",
  "a:b",
  "a\u00a0b",
  "a\u00adb",
  "a\u3164b",
  "a\ufe0fb",
  "a\ufffdb",
  "\u0301a",
  "$IFS",
  "a;id",
  "a|id",
  "a>b",
  "a<b",
  "a*",
  "a?",
  "[a]",
  "{a,b}",
  "a,b",
  "*",
  "!a",
  "%h",
  "~",
  "#a",
  "a=b;",
  "a/b",
  "../a",
  "\u202eabc",
  "\u200b",
  "＄",
  "аdmin\u0000",
];

describe("hostile text", () => {
  test.each(HOSTILE.map((text) => [text]))("%j is no OS user and no host name", (text) => {
    expect(LocalUser.safeParse(text).success).toBe(false);
    expect(HostLabel.safeParse(text).success).toBe(false);
    expect(DnsName.safeParse(text).success).toBe(false);
  });

  test("no OS user holds what is no account, a list, a pattern, an option or a substitution", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
        const user = LocalUser.safeParse(text);
        if (user.success) expect(user.data).toMatch(/^[^-~!#\s][^:/,*?"`;|<>[\]=\p{C}$]*\$?$/u);
      }),
      { numRuns: 5_000 },
    );
  });
});

test.each([
  ...["deploy", "www-data", "_apt", "svc.build", "ada@corp.example", "machine$", "A1"],
  // As winbind, sssd and Active Directory have them.
  ...[
    "DOM\\ada",
    "DOM\\ada lovelace",
    "DOM+ada",
    "john doe",
    "o'brien",
    "R&D (EU)",
    "jürgen",
    "ju\u0308rgen",
  ],
  ...["Åsa", "Иван", "王伟", "a%b", "a!b", "a#1", "a{b}"],
])("%s is an OS user, byte for byte", (name) => {
  expect(LocalUser.parse(name)).toBe(name);
});

test("an OS user has at most 64 bytes", () => {
  const isOne = (name: string) => LocalUser.safeParse(name).success;
  expect([isOne("a".repeat(64)), isOne("a".repeat(65))]).toEqual([true, false]);
  expect([isOne("ü".repeat(32)), isOne("ü".repeat(33))]).toEqual([true, false]);
});

test.each([
  [Email, "ada@example.com", "ada example.com"],
  [HostPort, "[::1]:22", "::1:22"],
  [HostPort, "web1:65535", "web1:65536"],
  [HttpUrl, "https://qf.example.com", "https://user:pw@qf.example.com"],
  [HttpUrl, "http://127.0.0.1:8080", "javascript:alert(1)"],
  [HttpUrl, "https://qf.example.com/a", "https://qf.example.com/a\u001b[2J"],
  [HttpUrl, "https://qf.example.com/b", "https://qf.example.com/\nqf: hint: b"],
  [HttpUrl, "https://qf.example.com/x", "https://qf.example.com/#x"],
] as const)("a boundary takes the one and refuses the other", (schema, good, bad) => {
  expect(schema.safeParse(good).success).toBe(true);
  expect(schema.safeParse(bad).success).toBe(false);
});

describe("a policy", () => {
  const group = "a".repeat(20);
  const rule = {
    name: "r",
    enabled: true,
    action: "accept",
    bidirectional: false,
    protocol: "qufabric-ssh",
    sources: [group],
    destinations: [group],
  };
  const policy = (change: Record<string, unknown>) => ({
    name: "p",
    enabled: true,
    rules: [{ ...rule, ...change }],
  });

  test("is taken as written", () => {
    expect(PolicyWrite.safeParse(policy({ authorized_groups: { [group]: ["deploy"] } })).success).toBe(true);
  });

  test.each<[string, Record<string, unknown>]>([
    ["an unknown field, which could be a restriction", { require_mfa: true }],
    ["an unknown capability", { ssh: { x11: false } }],
    ["an empty list of OS users", { authorized_groups: { [group]: [] } }],
    ["an OS user with a list separator", { authorized_groups: { [group]: ["deploy,root"] } }],
    ["a group that is no id", { sources: ["Developers"] }],
    ["a command without a path", { ssh: { commands: ["uptime"] } }],
    ["a command with a newline", { ssh: { commands: ["/bin/sh\nid"] } }],
    ["a zero session length, which is no limit", { ssh: { max_session_seconds: 0 } }],
    ["a port above 65535 in a range", { port_ranges: [{ start: 1, end: 70_000 }] }],
    ["an unknown action", { action: "allow" }],
    ["an unknown protocol", { protocol: "ssh" }],
    [
      "a window that ends before it starts",
      { schedule: { windows: [{ days: ["mon"], from: "10:00", to: "09:00" }] } },
    ],
  ])("is refused for %s", (_, change) => {
    expect(PolicyWrite.safeParse(policy(change)).success).toBe(false);
  });
});
