/**
 * Clauses of a rule's sentence: what it allows, what it requires, and when it holds.
 *
 * @module
 */
import { durationText } from "../../components/durations.ts";
import type { FileRule } from "./policy-draft.ts";

type Ssh = NonNullable<FileRule["ssh"]>;
type ApprovedRule = Pick<FileRule, "ssh" | "approver_groups" | "approval_seconds">;

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** Clauses about what people may do once they are logged in. Empty if only the machine's own limits apply. */
export function capabilityClauses(ssh: Ssh | undefined): string[] {
  if (ssh === undefined) return [];
  const { commands, local_forward, remote_forward, env } = ssh;
  return [
    ...(commands ? [`for ${commands.length === 0 ? "no command" : listOf(commands, "or")} only`] : []),
    ...(ssh.sftp === "read" ? ["with downloads only"] : []),
    ...(ssh.sftp === "off" ? ["without file transfer"] : []),
    ...(ssh.sftp === "write" && commands ? ["with file transfer"] : []),
    ...(ssh.pty === false ? ["without a terminal"] : []),
    ...(local_forward ? [forwardClause(local_forward, "forwarding to", "forwarding")] : []),
    ...(remote_forward ? [forwardClause(remote_forward, "listening at", "listening for others")] : []),
    ...(ssh.agent_forwarding === true ? ["with their SSH agent lent to the machine"] : []),
    ...(env && env.length > 0 ? [`setting ${listOf(env)}`] : []),
    ...(ssh.allow_browsers === false ? ["but not from a browser"] : []),
    ...(ssh.allow_unmanaged_devices === true ? ["also from clients without a device of ours"] : []),
  ];
}

/** Clauses about machines that may bring their users' other programs. Empty if any client may come anyway. */
export function interceptClauses({ ssh, allow_intercepted }: FileRule): string[] {
  if (!allow_intercepted?.length || ssh?.allow_unmanaged_devices === true) return [];
  return [`also by other programs on machines in ${listOf(allow_intercepted, "or")}`];
}

/** Clauses about what the rule requires. */
export function obligationClauses(rule: ApprovedRule): string[] {
  const { ssh = {} } = rule;
  const { max_session_seconds, idle_timeout_seconds, reauth_within_seconds } = ssh;
  return [
    ...(reauth_within_seconds ? [`signed in within the last ${durationText(reauth_within_seconds)}`] : []),
    ...(ssh.require_reason === true ? ["saying why"] : []),
    ...(ssh.require_approval === true ? [approvalClause(rule)] : []),
    ...(ssh.record === "required" ? ["always recorded"] : []),
    ...(ssh.record === "best_effort" ? ["recorded where possible"] : []),
    ...(ssh.record_input === "all" ? ["with everything they type kept, passwords too"] : []),
    ...(max_session_seconds ? [`for at most ${durationText(max_session_seconds)}`] : []),
    ...(idle_timeout_seconds ? [`ending after ${durationText(idle_timeout_seconds)} of silence`] : []),
  ];
}

function approvalClause({ approver_groups, approval_seconds }: ApprovedRule): string {
  const by = approver_groups?.length ? ` by a member of ${listOf(approver_groups, "or")}` : "";
  const how =
    approval_seconds === undefined ? "" : ` for at most ${durationText(approval_seconds)} at a time`;
  return `once approved${by}${how}`;
}

/** Clauses about when the rule holds. */
export function timeClauses({ schedule, valid_from, valid_until }: FileRule): string[] {
  return [
    ...(schedule ? [listOf(schedule.windows.map(windowText), "or")] : []),
    ...(valid_from === undefined ? [] : [`from ${momentText(valid_from)}`]),
    ...(valid_until === undefined ? [] : [`until ${momentText(valid_until)}`]),
  ];
}

type Window = NonNullable<FileRule["schedule"]>["windows"][number];

function windowText({ days, from, to }: Window): string {
  const numbers = days.map((day) => DAYS.indexOf(day)).sort((a, b) => a - b);
  const [first = 0] = numbers;
  const last = numbers.at(-1) ?? first;
  const name = (number: number): string => {
    const day = DAYS[number] ?? "";
    return day.slice(0, 1).toUpperCase() + day.slice(1);
  };
  const isRun = numbers.length > 2 && last - first === numbers.length - 1;
  const which =
    numbers.length === 7
      ? "every day"
      : isRun
        ? `${name(first)} to ${name(last)}`
        : listOf(numbers.map(name));
  return `${which} from ${from} to ${to} UTC`;
}

function momentText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16)}Z`;
}

function forwardClause(targets: readonly string[], some: string, none: string): string {
  return targets.length === 0 ? `without ${none}` : `with ${some} ${listOf(targets)}`;
}

/** `a, b and c`. */
export function listOf(names: readonly string[], last = "and"): string {
  if (names.length <= 1) return names[0] ?? "";
  return `${names.slice(0, -1).join(", ")} ${last} ${names.at(-1)}`;
}
