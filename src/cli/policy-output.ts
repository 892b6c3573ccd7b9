/**
 * Differences, tests and explanations of policies, as text for people.
 *
 * @module
 */
import { timeText } from "../base/moment.ts";
import { printable } from "../base/printable.ts";
import type {
  AccessRow,
  AccessRows,
  Explanation,
  PolicyChangeEntry,
  PolicyDiff,
  PolicyTestOutcome,
  PolicyTestReport,
  PolicyUsage,
} from "../wire/policy-code-api.ts";
import type { PolicyHistoryEntry } from "../wire/policy-history.ts";
import { renderTable } from "./output.ts";

/** Rows of access shown. Further ones are only counted. */
const ROWS_SHOWN = 50;

const MARKS = { added: "+", changed: "~", removed: "-" } as const;

/** One change, such as `~ rule 1 of policy deploy (ssh)`. */
export function changeLine({ what, change, name, rule, fields }: PolicyChangeEntry): string {
  const shown = printable(name);
  const subject =
    what === "rule"
      ? `${ruleName(rule)} of policy ${shown}`
      : what === "tests"
        ? "the tests"
        : `${what} ${shown}`;
  return `${MARKS[change]} ${subject}${fields?.length ? ` (${fields.join(", ")})` : ""}\n`;
}

/** One state of the policies, cell by cell. */
export function historyCells(state: PolicyHistoryEntry): string[] {
  const { number, at, by, via, reason, current, changes } = state;
  return [
    current ? `${number} (in force)` : String(number),
    timeText(at),
    printable(by?.name ?? ""),
    via,
    printable(reason),
    changes.map((change) => changeLine(change).trim()).join("; "),
  ];
}

export const USAGE_HEADINGS = ["POLICY", "RULE", "PEOPLE", "MACHINES", "LAST DECIDED", "UNUSED"] as const;

/** The use of one rule, cell by cell. A rule that is gone since is named by its id. */
export function usageCells(
  use: PolicyUsage["rules"][number],
  policies: readonly { readonly id: string; readonly name: string; readonly rules: readonly NamedRule[] }[],
): string[] {
  const policy = policies.find(({ id }) => id === use.policy_id);
  const index = policy?.rules.findIndex(({ id }) => id === use.rule_id) ?? -1;
  const last =
    use.last_decided_at === null ? `not since ${timeText(use.counted_since)}` : timeText(use.last_decided_at);
  return [
    printable(policy?.name ?? use.policy_id),
    printable(policy?.rules[index]?.name || (index < 0 ? use.rule_id : `rule ${index + 1}`)),
    String(use.people ?? "-"),
    String(use.machines ?? "-"),
    use.unused === null ? "not reported" : last,
    use.unused === null ? "-" : use.unused ? "yes" : "no",
  ];
}

interface NamedRule {
  readonly id?: string | undefined;
  readonly name: string;
}

function ruleName(rule = ""): string {
  return /^rule \d+$/.test(rule) ? rule : `rule ${printable(rule)}`;
}

/** The whole difference. */
export function diffText(diff: PolicyDiff): string {
  if (diff.same) return "Nothing would change.\n";
  return [
    ...diff.changes.map(changeLine),
    rowsText("gained", diff.gained),
    rowsText("lost", diff.lost),
    endsText(diff),
    decisionsText(diff),
    testsText(diff.tests),
    ...diff.warnings.map((warning) => `\nWarning: ${warning}.\n`),
  ].join("");
}

function rowsText(what: "gained" | "lost", { total, rows }: AccessRows): string {
  if (total === 0) return `\nNo access is ${what}.\n`;
  const shown = rows.slice(0, ROWS_SHOWN);
  const more = total > shown.length ? `... and ${total - shown.length} more; --json shows them\n` : "";
  const mark = what === "gained" ? "+" : "-";
  return `\nAccess ${what} (${total}):\n${accessText(shown, mark)}${more}`;
}

/** A table of access, with `mark` before each row. */
export function accessText(rows: readonly AccessRow[], mark = ""): string {
  const lead = mark === "" ? [] : [mark];
  return renderTable(
    [...(mark === "" ? [] : [" "]), ...ACCESS_HEADINGS],
    rows.map((row) => [...lead, ...accessCells(row)]),
  );
}

/** Headings of `accessCells`. */
export const ACCESS_HEADINGS = ["USER", "MACHINE", "OS USER", "CAPABILITIES"] as const;

/** One row of access, cell by cell. */
export function accessCells({ user, machine, local_user, capabilities }: AccessRow): string[] {
  return [user.name, machine.name, local_user, capabilities.join(", ")];
}

function endsText({ ends }: PolicyDiff): string {
  if (ends.length === 0) return "\nNo live connection would end.\n";
  const rows = ends.map((one) => [
    one.user.name,
    one.machine.name,
    one.local_user,
    timeText(one.started_at),
    one.reason,
  ]);
  const table = renderTable(["USER", "MACHINE", "OS USER", "SINCE", "REASON"], rows);
  return `\nLive connections that would end (${ends.length}):\n${table}`;
}

function decisionsText({ decisions }: PolicyDiff): string {
  const { days, considered, truncated, differ } = decisions;
  if (days === 0) return "";
  const looked = `${considered}${truncated ? " newest" : ""} decisions of the last ${days} days`;
  if (differ.length === 0) return `\nNone of the ${looked} would differ.\n`;
  const rows = differ.map((one) => [
    ...[one.user.name, one.machine.name, one.local_user, one.action.kind],
    ...[one.before, one.after, one.reason ?? "", String(one.count)],
  ]);
  const headings = ["USER", "MACHINE", "OS USER", "ACTION", "NOW", "THEN", "REASON", "TIMES"];
  return `\nOf the ${looked} these would differ:\n${renderTable(headings, rows)}`;
}

/** How many tests pass, and each one that fails. */
export function testsText({ passed, failed, results }: PolicyTestReport): string {
  if (passed + failed === 0) return "\nThere are no tests.\n";
  const lines = results.filter((result) => !result.passed).map(failureLine);
  return `\nTests: ${passed} passed, ${failed} failed.\n${lines.join("")}`;
}

function failureLine({ number, test, outcome, reason, sentence }: PolicyTestOutcome): string {
  const about = `${test.user} as ${test.local_user} on ${test.machine}`;
  const action = test.action === undefined ? "" : ` (${JSON.stringify(test.action)})`;
  const wanted = test.reason === undefined ? test.expect : `${test.expect}, ${test.reason}`;
  const got =
    outcome === null ? "something that it names is gone" : [outcome, reason].filter(Boolean).join(", ");
  const why = sentence === null ? "" : `: ${sentence}`;
  const name = test.name ? `${JSON.stringify(test.name)} ` : "";
  return `  ${number}. ${printable(`${name}${about}${action}: expected ${wanted}, got ${got}${why}`)}\n`;
}

/** A decision, with every rule's outcome. */
export function explanationText(explanation: Explanation): string {
  const { user, device, machine, local_user, action, at, outcome, reason, rules, now } = explanation;
  const asked = typeof action === "string" ? action : JSON.stringify(action);
  const who = `${user?.name ?? "a machine"} from ${device?.name ?? "a device that is not registered"}`;
  const when = at === null ? "" : `, at ${timeText(at)}`;
  const verdict = outcome === "allow" ? "allowed" : `denied: ${explanation.sentence ?? reason} (${reason})`;
  const lines = [`${who}, as ${local_user} on ${machine.name}, ${asked}${when}: ${verdict}`];
  if (explanation.hint !== null) lines.push(`Next step: ${explanation.hint}`);
  if (explanation.change !== null) lines.push(`Nearest rule: ${explanation.change}`);
  if (now !== null) lines.push(`Now: ${now.outcome}${now.reason === null ? "" : ` (${now.reason})`}`);
  const text = lines.map((line) => `${printable(line)}\n`).join("");
  if (rules.length === 0) return text;
  const rows = rules.map((rule) => [
    rule.policy === "" ? rule.rule_id : rule.policy,
    rule.rule,
    rule.outcome,
    rule.sentence,
    rule.change ?? "",
  ]);
  return `${text}\n${renderTable(["POLICY", "RULE", "OUTCOME", "WHY", "WHAT WOULD HELP"], rows)}`;
}
