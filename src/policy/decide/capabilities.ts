/**
 * Capabilities of one grant: what it lets a session do (shell, command, sftp, forwards). They come from one
 * rule, never from several combined.
 *
 * @module
 */
import type { Action, RuleOutcome } from "../../wire/decision.ts";
import type { SshCapabilities } from "../../wire/policy.ts";
import type { MachineFlags } from "./request.ts";

/** Null when `action` is allowed, otherwise the first obstacle. */
export function denialOfAction(
  action: Action,
  ssh: SshCapabilities,
  flags: MachineFlags,
): RuleOutcome | null {
  const restricted = ssh.commands !== undefined && ssh.commands !== null;
  switch (action.kind) {
    case "connect":
      return null;
    case "shell":
      return restricted ? "shell_not_allowed" : null;
    case "exec":
      return denialOfCommand(action.command, ssh, flags);
    case "pty":
      return (ssh.pty ?? true) ? null : "pty_not_allowed";
    case "sftp":
      return flags.sshSftp && sftpMode(ssh) !== "off" ? null : "sftp_disabled";
    case "agent_forwarding":
      return mayForwardAgent(ssh) ? null : "agent_forwarding_disabled";
    case "x11_forwarding":
      return "x11_not_available";
    case "local_forward":
      return denialOfLocalForward(action, ssh, flags);
    case "remote_forward":
      return denialOfRemoteForward(action, ssh, flags);
    case "local_socket":
      if (!flags.sshLocalForwarding || restricted) return "local_forward_disabled";
      return ssh.local_forward === undefined ? null : "forward_destination_not_allowed";
    case "remote_socket":
      if (!flags.sshRemoteForwarding || restricted) return "remote_forward_disabled";
      return ssh.remote_forward === undefined ? null : "forward_destination_not_allowed";
  }
}

/** Whether sessions under this grant may reach the client's SSH agent. Only if the rule says so. */
export function mayForwardAgent(ssh: SshCapabilities): boolean {
  return ssh.agent_forwarding === true;
}

/** The file transfer that this grant allows, before the machine's own flag. */
export function sftpMode(ssh: SshCapabilities): "write" | "read" | "off" {
  const restricted = ssh.commands !== undefined && ssh.commands !== null;
  return ssh.sftp ?? (restricted ? "off" : "write");
}

/** Variables accepted from a client when the grant names none: those of Debian's sshd_config. */
const DEFAULT_ENVIRONMENT = ["LANG", "LC_*"] as const;

/** Variables that a client may set under this grant; one `*` at the end of a name is a wildcard. */
export function environmentPatterns(ssh: SshCapabilities): readonly string[] {
  const restricted = ssh.commands !== undefined && ssh.commands !== null;
  return ssh.env ?? (restricted ? [] : DEFAULT_ENVIRONMENT);
}

function denialOfCommand(command: string, ssh: SshCapabilities, flags: MachineFlags): RuleOutcome | null {
  if (ssh.commands !== undefined && ssh.commands !== null && !ssh.commands.includes(command)) {
    return "command_not_allowed";
  }
  const transfer = fileTransferOf(command);
  if (transfer === null) return null;
  const mode = sftpMode(ssh);
  if (!flags.sshSftp || mode === "off") return "sftp_disabled";
  return mode === "read" && transfer === "upload" ? "sftp_read_only" : null;
}

/**
 * Whether a command is the remote end of scp, rsync or sftp, and its direction. This is a convenience, not a
 * boundary: `cat` moves files too. To enforce it, use `commands`.
 */
export function fileTransferOf(command: string): "upload" | "download" | null {
  const words = command.trim().split(/\s+/);
  const prefixes = /^(?:[A-Za-z_][A-Za-z0-9_]*=.*|exec|command|env|nice|ionice|sudo|nohup)$/;
  while (words.length > 0 && prefixes.test(words[0] ?? "")) words.shift();
  const program = (words[0] ?? "").replace(/^.*\//, "").replace(/["'\\]/g, "");
  if (program === "scp")
    return words.includes("-f") || words.some((word) => /^-[a-zA-Z]*f$/.test(word)) ? "download" : "upload";
  if (program === "rsync") return words.includes("--sender") ? "download" : "upload";
  return program === "sftp-server" ? "upload" : null;
}

type ForwardAction = Extract<Action, { kind: "local_forward" | "remote_forward" }>;

function denialOfLocalForward(
  action: ForwardAction,
  ssh: SshCapabilities,
  flags: MachineFlags,
): RuleOutcome | null {
  const restricted = ssh.commands !== undefined && ssh.commands !== null;
  if (!flags.sshLocalForwarding) return "local_forward_disabled";
  if (ssh.local_forward === undefined) {
    if (restricted) return "local_forward_disabled";
    return isMetadataHost(action.host) ? "forward_destination_not_allowed" : null;
  }
  if (ssh.local_forward.length === 0) return "local_forward_disabled";
  const entries = isMetadataHost(action.host)
    ? ssh.local_forward.filter((entry) => !entry.startsWith("*:"))
    : ssh.local_forward;
  return matchesTarget(entries, action.host, action.port) ? null : "forward_destination_not_allowed";
}

function denialOfRemoteForward(
  action: ForwardAction,
  ssh: SshCapabilities,
  flags: MachineFlags,
): RuleOutcome | null {
  const restricted = ssh.commands !== undefined && ssh.commands !== null;
  if (!flags.sshRemoteForwarding) return "remote_forward_disabled";
  const host = isLoopbackBind(action.host) ? "127.0.0.1" : action.host;
  if (ssh.remote_forward === undefined) {
    if (restricted) return "remote_forward_disabled";
    return host === "127.0.0.1" ? null : "forward_destination_not_allowed";
  }
  if (ssh.remote_forward.length === 0) return "remote_forward_disabled";
  const entries = ssh.remote_forward.map((entry) => {
    const at = entry.lastIndexOf(":");
    return isLoopbackBind(entry.slice(0, at)) ? `127.0.0.1${entry.slice(at)}` : entry;
  });
  return matchesTarget(entries, host, action.port) ? null : "forward_destination_not_allowed";
}

/** RFC 4254 section 7.1: "localhost", 127.0.0.1 and ::1 mean loopback; the empty address means all. */
function isLoopbackBind(host: string): boolean {
  return host === "localhost" || host === "127.0.0.1" || host === "::1" || host === "[::1]";
}

function matchesTarget(entries: readonly string[], host: string, port: number): boolean {
  const wanted = comparable(host);
  return entries.some((entry) => {
    const at = entry.lastIndexOf(":");
    const entryHost = comparable(entry.slice(0, at));
    const entryPort = entry.slice(at + 1);
    return (entryHost === "*" || entryHost === wanted) && (entryPort === "*" || Number(entryPort) === port);
  });
}

/** `host` in one spelling: lower case, and IPv6 without brackets and compressed. */
function comparable(host: string): string {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, "");
  if (!bare.includes(":") || !URL.canParse(`http://[${bare}]`)) return bare;
  return new URL(`http://[${bare}]`).hostname.slice(1, -1);
}

/**
 * Cloud metadata addresses outside the link-local range: Alibaba, Oracle, Azure's wire server, and over IPv6
 * Amazon, Google, Oracle and Scaleway.
 */
export const METADATA_ADDRESSES = [
  ...["100.100.100.200", "192.0.0.192", "168.63.129.16"],
  ...["fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42"],
] as const;
const METADATA_NAMES: ReadonlySet<string> = new Set([
  ...METADATA_ADDRESSES,
  ...["metadata", "metadata.google.internal", "metadata.goog"],
]);

/**
 * Whether clouds serve a machine's own credentials at this address. Such forwards are refused unless named
 * literally.
 */
export function isMetadataHost(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .replace(/^::ffff:/, "");
  return name.startsWith("169.254.") || name.startsWith("fe80:") || METADATA_NAMES.has(name);
}
