import { describe, expect, test } from "bun:test";
import {
  denialOfAction,
  fileTransferOf,
  isMetadataHost,
  METADATA_ADDRESSES,
  mayForwardAgent,
  sftpMode,
} from "../../../src/policy/decide/capabilities.ts";
import type { MachineFlags } from "../../../src/policy/decide/request.ts";
import type { Action, RuleOutcome } from "../../../src/wire/decision.ts";
import type { SshCapabilities } from "../../../src/wire/policy.ts";
import { allFlags } from "../../support/policy.ts";

interface Row {
  readonly name: string;
  readonly action: Action;
  readonly ssh?: SshCapabilities;
  readonly off?: keyof MachineFlags;
  readonly want: RuleOutcome | null;
}

const check = ({ action, ssh, off, want }: Row): void => {
  const flags = off === undefined ? allFlags : { ...allFlags, [off]: false };
  expect(denialOfAction(action, ssh ?? {}, flags)).toBe(want);
};
/** Rules that list commands allow just these. */
const listed: SshCapabilities = { commands: ["/bin/true"] };
const exec = (command: string): Action => ({ kind: "exec", command });
const to = (host: string, port = 80): Action => ({ kind: "local_forward", host, port });
const bind = (host: string, port = 8080): Action => ({ kind: "remote_forward", host, port });

describe("denialOfAction of programs", () => {
  test.each<Row>([
    { name: "lets anybody connect", action: { kind: "connect" }, ssh: listed, want: null },
    { name: "gives a shell", action: { kind: "shell" }, want: null },
    {
      name: "gives a shell where commands are null",
      action: { kind: "shell" },
      ssh: { commands: null },
      want: null,
    },
    {
      name: "gives no shell beside commands",
      action: { kind: "shell" },
      ssh: listed,
      want: "shell_not_allowed",
    },
    {
      name: "gives no shell where the list of commands is empty",
      action: { kind: "shell" },
      ssh: { commands: [] },
      want: "shell_not_allowed",
    },
    { name: "runs any command", action: exec("/bin/false"), want: null },
    { name: "runs a listed command", action: exec("/bin/true"), ssh: listed, want: null },
    { name: "runs no other", action: exec("/bin/false"), ssh: listed, want: "command_not_allowed" },
    {
      name: "runs no listed command with more",
      action: exec("/bin/true;id"),
      ssh: listed,
      want: "command_not_allowed",
    },
    {
      name: "runs no part of a listed command",
      action: exec("/bin"),
      ssh: listed,
      want: "command_not_allowed",
    },
    {
      name: "runs nothing by an empty list",
      action: exec(""),
      ssh: { commands: [] },
      want: "command_not_allowed",
    },
    { name: "gives a terminal", action: { kind: "pty" }, want: null },
    {
      name: "gives no terminal by the rule",
      action: { kind: "pty" },
      ssh: { pty: false },
      want: "pty_not_allowed",
    },
    { name: "forwards no X11", action: { kind: "x11_forwarding" }, want: "x11_not_available" },
  ])("$name", check);
});

describe("denialOfAction of files", () => {
  const sftp: Action = { kind: "sftp" };
  const up = exec("scp -t /tmp");
  const down = exec("scp -f /tmp/a");
  test.each<Row>([
    { name: "allows SFTP", action: sftp, want: null },
    { name: "allows SFTP for reading", action: sftp, ssh: { sftp: "read" }, want: null },
    { name: "refuses SFTP by the rule", action: sftp, ssh: { sftp: "off" }, want: "sftp_disabled" },
    { name: "refuses SFTP by the machine", action: sftp, off: "sshSftp", want: "sftp_disabled" },
    { name: "refuses SFTP beside commands", action: sftp, ssh: listed, want: "sftp_disabled" },
    {
      name: "allows SFTP beside commands where it says so",
      action: sftp,
      ssh: { ...listed, sftp: "write" },
      want: null,
    },
    { name: "refuses scp by the machine", action: up, off: "sshSftp", want: "sftp_disabled" },
    { name: "refuses scp by the rule", action: down, ssh: { sftp: "off" }, want: "sftp_disabled" },
    { name: "refuses an upload to readers", action: up, ssh: { sftp: "read" }, want: "sftp_read_only" },
    { name: "allows a download to readers", action: down, ssh: { sftp: "read" }, want: null },
    {
      name: "refuses listed scp where files are off",
      action: up,
      ssh: { commands: ["scp -t /tmp"] },
      want: "sftp_disabled",
    },
    {
      name: "refuses env scp to readers",
      action: exec("env A=1 /usr/bin/scp -t x"),
      ssh: { sftp: "read" },
      want: "sftp_read_only",
    },
  ])("$name", check);

  test.each([
    ["scp -t /tmp", "upload"],
    ["scp -f /tmp/a", "download"],
    ["scp -vf /tmp/a", "download"],
    ["scp /tmp/-file", "upload"],
    ["/usr/bin/scp -t x", "upload"],
    ["  sudo nohup rsync --server . /tmp", "upload"],
    ["rsync --server --sender . /tmp", "download"],
    ["LANG=C 'scp' -t x", "upload"],
    ["sftp-server", "upload"],
    ["/usr/lib/openssh/sftp-server -e", "upload"],
    ["echo scp -t x", null],
    ["scpx -t", null],
    ["", null],
  ] as const)("fileTransferOf(%p) is %p", (command, want) => {
    expect(fileTransferOf(command)).toBe(want);
  });

  test.each([
    [{}, "write"],
    [{ commands: null }, "write"],
    [listed, "off"],
    [{ ...listed, sftp: "read" }, "read"],
    [{ sftp: "off" }, "off"],
  ] as const)("sftpMode(%p) is %p", (ssh, want) => {
    expect(sftpMode(ssh)).toBe(want);
  });
});

describe("denialOfAction of a forwarded agent", () => {
  const action: Action = { kind: "agent_forwarding" };
  test.each<Row>([
    { name: "follows the rule's yes", action, ssh: { agent_forwarding: true }, want: null },
    {
      name: "follows the rule's yes beside commands",
      action,
      ssh: { ...listed, agent_forwarding: true },
      want: null,
    },
    {
      name: "follows the rule's no",
      action,
      ssh: { agent_forwarding: false },
      want: "agent_forwarding_disabled",
    },
    { name: "refuses beside commands", action, ssh: listed, want: "agent_forwarding_disabled" },
  ])("$name", (row) => {
    check(row);
    expect(mayForwardAgent(row.ssh ?? {})).toBe(row.want === null);
  });
});

describe("denialOfAction of forwards", () => {
  const some: SshCapabilities = { local_forward: ["db.internal:5432", "*:443", "[fd00::1]:80"] };
  const fixed: SshCapabilities = { remote_forward: ["localhost:8080", "10.0.0.1:*"] };
  const nowhere = "forward_destination_not_allowed";
  test.each<Row>([
    { name: "goes anywhere by default", action: to("db"), want: null },
    {
      name: "refuses -L by the machine",
      action: to("db"),
      off: "sshLocalForwarding",
      want: "local_forward_disabled",
    },
    { name: "refuses -L beside commands", action: to("db"), ssh: listed, want: "local_forward_disabled" },
    {
      name: "refuses -L by an empty list",
      action: to("db"),
      ssh: { local_forward: [] },
      want: "local_forward_disabled",
    },
    { name: "goes to a listed destination", action: to("db.internal", 5432), ssh: some, want: null },
    { name: "does so in any case of letters", action: to("DB.Internal", 5432), ssh: some, want: null },
    { name: "goes to any host at a listed port", action: to("a.example", 443), ssh: some, want: null },
    { name: "goes to an IPv6 address", action: to("fd00::1"), ssh: some, want: null },
    { name: "goes to it in any spelling", action: to("FD00:0:0::0001"), ssh: some, want: null },
    {
      name: "goes to it however the rule spells it",
      action: to("fd00::1"),
      ssh: { local_forward: ["[FD00:0:0:0:0:0:0:1]:80"] },
      want: null,
    },
    { name: "goes to no IPv6 address beside it", action: to("fd00::1:1"), ssh: some, want: nowhere },
    { name: "goes to no other port", action: to("db.internal", 22), ssh: some, want: nowhere },
    { name: "goes to no longer name", action: to("xdb.internal", 5432), ssh: some, want: nowhere },
    { name: "goes to no shorter name", action: to("internal", 5432), ssh: some, want: nowhere },
    {
      name: "goes to a listed destination beside commands",
      action: to("db.internal", 5432),
      ssh: { ...listed, ...some },
      want: null,
    },
    { name: "goes to no metadata by default", action: to("169.254.169.254"), want: nowhere },
    {
      name: "goes to no metadata by a wildcard",
      action: to("169.254.169.254", 443),
      ssh: some,
      want: nowhere,
    },
    {
      name: "goes to metadata that is named",
      action: to("169.254.169.254"),
      ssh: { local_forward: ["169.254.169.254:80"] },
      want: null,
    },
    { name: "binds loopback by default", action: bind("localhost"), want: null },
    { name: "binds IPv6 loopback by default", action: bind("::1"), want: null },
    { name: "binds no other address by default", action: bind("10.0.0.1"), want: nowhere },
    { name: "binds not all addresses by default", action: bind(""), want: nowhere },
    {
      name: "refuses -R by the machine",
      action: bind("localhost"),
      off: "sshRemoteForwarding",
      want: "remote_forward_disabled",
    },
    {
      name: "refuses -R beside commands",
      action: bind("localhost"),
      ssh: listed,
      want: "remote_forward_disabled",
    },
    {
      name: "refuses -R by an empty list",
      action: bind("localhost"),
      ssh: { remote_forward: [] },
      want: "remote_forward_disabled",
    },
    { name: "binds what is listed", action: bind("10.0.0.1", 1), ssh: fixed, want: null },
    {
      name: "binds listed loopback by another of its names",
      action: bind("127.0.0.1"),
      ssh: fixed,
      want: null,
    },
    { name: "binds no other port of loopback", action: bind("127.0.0.1", 22), ssh: fixed, want: nowhere },
    { name: "binds nothing else", action: bind("10.0.0.2"), ssh: fixed, want: nowhere },
  ])("$name", check);

  const local: Action = { kind: "local_socket", path: "/run/a" };
  const remote: Action = { kind: "remote_socket", path: "/run/a" };
  test.each<Row>([
    { name: "reaches a socket", action: local, want: null },
    {
      name: "reaches none by the machine",
      action: local,
      off: "sshLocalForwarding",
      want: "local_forward_disabled",
    },
    { name: "reaches none beside commands", action: local, ssh: listed, want: "local_forward_disabled" },
    { name: "reaches none where destinations are listed", action: local, ssh: some, want: nowhere },
    { name: "binds a socket", action: remote, want: null },
    {
      name: "binds none by the machine",
      action: remote,
      off: "sshRemoteForwarding",
      want: "remote_forward_disabled",
    },
    { name: "binds none beside commands", action: remote, ssh: listed, want: "remote_forward_disabled" },
    { name: "binds none where addresses are listed", action: remote, ssh: fixed, want: nowhere },
    { name: "does not mix the machine's flags: -L", action: local, off: "sshRemoteForwarding", want: null },
    { name: "does not mix the machine's flags: -R", action: remote, off: "sshLocalForwarding", want: null },
  ])("$name", check);
});

describe("isMetadataHost", () => {
  test.each([
    ...METADATA_ADDRESSES,
    ...["169.254.0.1", "::ffff:169.254.169.254", "[fe80::1]", "FE80::1", "metadata.google.internal."],
    ...["metadata", "metadata.goog", "[fd00:ec2::254]", "::ffff:100.100.100.200"],
  ])("knows %p", (host) => {
    expect(isMetadataHost(host)).toBe(true);
  });

  test.each(["169.253.0.1", "1.169.254.1", "metadata.example.com", "fd00:ec2::25", "10.0.0.1", ""])(
    "leaves %p alone",
    (host) => {
      expect(isMetadataHost(host)).toBe(false);
    },
  );
});
