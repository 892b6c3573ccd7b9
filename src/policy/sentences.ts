/**
 * Sentences of refusals, for the person refused: one sentence and one next step per reason code.
 *
 * The only place with this wording; banners, audit and docs all read it here. The sentences of the public
 * documentation are kept as they are.
 *
 * @module
 */
import type { ReasonCode } from "../wire/reason.ts";

/** The wording of one reason. */
export interface Sentence {
  readonly sentence: string;
  /** What the person, or who they must ask, can do next. */
  readonly hint: string;
}

const ASK_ADMIN = "ask an administrator, and quote the receipt";

const SENTENCES: Readonly<Record<ReasonCode, Sentence>> = {
  user_unknown: {
    sentence: "User is not known on this peer",
    hint: `${ASK_ADMIN}: no policy for this peer speaks of you`,
  },
  user_blocked: { sentence: "User is blocked", hint: "ask an administrator to unblock you" },
  user_pending: { sentence: "User is waiting for approval", hint: "ask an administrator to approve you" },
  device_unknown: {
    sentence: "This device may not reach this peer",
    hint: "sign in with qf login on this device, or ask for a policy with its group as source",
  },
  device_blocked: { sentence: "This device is blocked", hint: "ask an administrator to unblock it" },
  device_pending: {
    sentence: "This device is waiting for approval",
    hint: "ask an administrator to approve it",
  },
  unmanaged_device: {
    sentence: "This policy admits registered devices only",
    hint: "use qf ssh or OpenSSH with qf ssh-config install",
  },
  browser_not_allowed: {
    sentence: "This policy takes no terminal in a browser",
    hint: "use qf ssh on a device of your own",
  },
  ssh_disabled: {
    sentence: "SSH is disabled for this peer",
    hint: "run qf agent up --allow-server-ssh there, and enable SSH for the peer",
  },
  machine_blocked: { sentence: "This peer is blocked", hint: "ask an administrator to unblock it" },
  machine_pending: {
    sentence: "This peer is waiting for approval",
    hint: "ask an administrator to approve it",
  },
  map_stale: {
    sentence: "This peer has not heard from management for too long",
    hint: "check the peer's connection to management with qf agent status -d there",
  },
  wrong_target: { sentence: "The certificate was made for another peer", hint: "connect again" },
  plain_ssh_disabled: {
    sentence: "This peer takes registered devices only",
    hint: "use qf ssh, or OpenSSH after qf ssh-config install",
  },
  peer_not_authorized: {
    sentence: "User is not authorized to access this peer",
    hint: "ask for a policy that has one of your groups as source",
  },
  device_not_authorized: {
    sentence: "User is not authorized to access this peer from this device",
    hint: "use a device whose group is a source of the policy",
  },
  local_user_not_authorized: {
    sentence: "User is not authorized to login as OS user",
    hint: "ask for the OS user to be added to one of your groups in the policy",
  },
  local_user_unmapped: {
    sentence: "No authorization mapping for OS user",
    hint: "add the OS user to the authorized groups of the policy",
  },
  outside_schedule: {
    sentence: "This access is not valid at this time",
    hint: "try again within the hours of the policy",
  },
  posture_failed: {
    sentence: "This device does not meet the posture checks",
    hint: "update it, then sign in again",
  },
  denied_by_rule: { sentence: "A policy denies this access", hint: ASK_ADMIN },
  reauth_required: { sentence: "This access needs a recent sign-in", hint: "sign in again with qf login" },
  reauth_unprovable: {
    sentence: "This access needs a recent sign-in, and the identity provider does not say when it was",
    hint: "ask for a provider that sends auth_time",
  },
  reason_required: {
    sentence: "This access needs a reason",
    hint: "give one with qf ssh --reason, or with qf reason set for ssh, scp and other tools",
  },
  approval_required: {
    sentence: "This access needs an approval",
    hint: "ask for one with qf access request, or connect from a terminal and wait there",
  },
  recording_unavailable: {
    sentence: "This session must be recorded and cannot be",
    hint: "management has to store it, and cannot be reached or does not take it: try again later",
  },
  not_recordable: {
    sentence: "Forwarding is not available here, because sessions must be recorded",
    hint: "ask for a rule without record: required for it",
  },
  shell_not_allowed: {
    sentence: "The policy allows certain commands only, no shell",
    hint: "name one of the allowed commands",
  },
  command_not_allowed: {
    sentence: "The policy does not allow this command",
    hint: "a command must match as a whole",
  },
  command_too_long: {
    sentence: "The command is too long",
    hint: "131071 bytes is the longest: put it into a file, or send it on standard input",
  },
  pty_not_allowed: { sentence: "The policy does not allow a terminal", hint: "use -T" },
  sftp_disabled: {
    sentence: "SFTP subsystem not available",
    hint: "start the peer with --enable-ssh-sftp, and allow sftp in the policy",
  },
  sftp_read_only: { sentence: "File transfer is read-only here", hint: "ask for sftp: write in the policy" },
  local_forward_disabled: {
    sentence: "Port forwarding not available",
    hint: "start the peer with --enable-ssh-local-port-forwarding, and allow it in the policy",
  },
  remote_forward_disabled: {
    sentence: "Port forwarding not available",
    hint: "start the peer with --enable-ssh-remote-port-forwarding, and allow it in the policy",
  },
  forward_destination_not_allowed: {
    sentence: "Port forwarding to this address is not allowed",
    hint: "ask for the address in the policy",
  },
  agent_forwarding_disabled: {
    sentence: "Agent forwarding is not allowed",
    hint: "ask for agent_forwarding in the policy",
  },
  x11_not_available: { sentence: "X11 forwarding is not available", hint: "forward a TCP port instead" },
  subsystem_unknown: { sentence: "No such subsystem", hint: "only sftp is there" },
  root_disabled: {
    sentence: "root login is disabled on this SSH server",
    hint: "start the peer with --enable-ssh-root",
  },
  root_not_named: {
    sentence: "No rule lets this peer be that OS user",
    hint: "name the OS user in machine_local_users, or name port 22 in the rule",
  },
  rootless_other_user: {
    sentence: "This SSH server runs without root and serves its own user only",
    hint: "connect as the agent's own user, or run the agent as root",
  },
  account_unknown: {
    sentence: "The OS user does not exist on this peer",
    hint: "check the user name, or have the account created",
  },
  account_locked: { sentence: "The OS account is locked", hint: "ask the peer's administrator to unlock it" },
  account_expired: {
    sentence: "The OS account has expired",
    hint: "ask the peer's administrator to extend it",
  },
  account_nologin: {
    sentence: "The OS account has no login shell",
    hint: "ask the peer's administrator for a shell",
  },
  account_refused: {
    sentence: "The operating system refused the account",
    hint: "ask the peer's administrator to look at PAM",
  },
  machine_identity_only: {
    sentence: "This peer takes machine identity only",
    hint: "connect from a peer that a tcp rule lets in",
  },
  client_not_pinned: {
    sentence: "This peer takes no sign-in by this client of the identity provider",
    hint: "use qf ssh with a browser on this device; root of the peer may add a client with --pin-audience",
  },
  binding_not_accepted: {
    sentence: "This peer wants a login that its own identity provider has signed",
    hint: "sign in with the identity provider",
  },
  management_reachable: {
    sentence: "This peer hears management, so it takes no offline login",
    hint: "find out why management cannot be reached from here",
  },
  certificate_invalid: {
    sentence: "Authentication failed",
    hint: "connect again; if it stays, sign in again with qf login",
  },
  certificate_expired: {
    sentence: "Authentication failed: the certificate is not valid now",
    hint: "check the clocks of both sides",
  },
  certificate_replayed: { sentence: "Authentication failed", hint: "connect again" },
  clock_skew: {
    sentence: "Authentication failed: the clocks differ too much",
    hint: "synchronise the clocks of both sides",
  },
  token_invalid: { sentence: "Authentication failed", hint: "sign in again with qf login" },
  token_too_old: {
    sentence: "Authentication failed: the sign-in is too old",
    hint: "sign in again with qf login",
  },
  login_revoked: {
    sentence: "Authentication failed: this login was ended",
    hint: "sign in again with qf login",
  },
  audit_unavailable: {
    sentence: "The audit log cannot be written, so nothing is allowed",
    hint: "ask the peer's administrator to look at its disk",
  },
  audit_share_full: {
    sentence: "Your share of this peer's audit log is full, so you are allowed nothing more",
    hint: "wait until the peer reaches its management again and has sent what you did",
  },
  limit_reached: { sentence: "Too many connections", hint: "close some, or wait" },
  session_time_over: {
    sentence: "This connection has lasted as long as it may",
    hint: "connect again",
  },
  session_idle: { sentence: "This connection was idle for too long", hint: "connect again" },
  session_killed: { sentence: "An administrator ended this connection", hint: "ask an administrator why" },
  network_not_allowed: {
    sentence: "No policy lets this device reach this peer",
    hint: "ask for a policy with this device's group as source",
  },
};

/** Said before anybody is proven, whatever the cause. */
export const UNPROVEN_SENTENCE = "Authentication failed";

/** The next step of `recording_unavailable` where all input is to be kept and nothing encrypts it. */
export const UNENCRYPTED_HINT =
  "the policy keeps all input, which has to be encrypted, but there are no recording_recipients: " +
  "ask an administrator to set them";

/** The sentence and the next step for `reason`. */
export function sentenceOf(reason: ReasonCode): Sentence {
  return SENTENCES[reason];
}

/**
 * A denial as a person reads it, on one line: sentence, next step and, where the denial was stored, its
 * receipt. `hint` takes the place of the usual next step.
 */
export function denialLine(
  reason: ReasonCode,
  receipt: string | null,
  hint: string = SENTENCES[reason].hint,
): string {
  const { sentence } = SENTENCES[reason];
  return `${sentence} (${hint}${receipt === null ? "" : `; receipt ${receipt}`})`;
}
