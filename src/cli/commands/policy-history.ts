import { PolicyHistoryEntry, PolicyHistoryState } from "../../wire/policy-history.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, openAdmin, printBody } from "../admin.ts";
import { applyFile } from "../apply-policy.ts";
import { command } from "../command.ts";
import { printTable } from "../output.ts";
import { parseWhole } from "../parse.ts";
import { historyCells } from "../policy-output.ts";
import { say } from "../report.ts";

const NUMBER_MAX = 9_999_999_999;

export const policyHistory = command(
  `
List earlier states of the policies, newest first: who made each, when, and what it changed. The newest 100
are kept.

usage: qf policy history [--limit N] [--before NUMBER] [--json]

options:
  --limit N                show at most N states, 1 to 100 (default: 20)
  --before NUMBER          only states below this number
${ADMIN_OPTIONS}

qf policy get --at NUMBER prints a state as a policy file, and qf policy restore brings it back.

examples:
  qf policy history
  qf policy history --limit 100 --json
`,
  {
    args: { limit: { type: "string", default: "20" }, before: { type: "string" }, ...ADMIN_ARGS },
    async run({ args }) {
      const limit = parseWhole("limit", args.limit, { min: 1, max: 100, unit: "states" });
      const query = new URLSearchParams({ limit: String(limit) });
      if (args.before !== undefined) query.set("cursor", String(parseNumber("before", args.before)));
      const admin = await openAdmin(args);
      const path = `/api/policy/history?${query}`;
      const answer = await admin.request("GET", path, { answer: PolicyHistoryEntry.array() });
      if (args.json === true) return printBody(answer);
      await printTable(["NUMBER", "WHEN", "WHO", "BY", "REASON", "CHANGES"], answer.value.map(historyCells));
    },
  },
);

export const policyRestore = command(
  `
Bring an earlier state of the policies back: their rules, the settings of groups, and the tests. Shows what
that changes, asks, and applies all of it or nothing, as qf policy apply does.

usage: qf policy restore NUMBER [--yes] [--reason TEXT] [--override] [--force] [--json]

options:
  --yes                    do not ask
  --reason TEXT            why, for the history and the audit log
  --override               although the policies are kept elsewhere; needs --reason, and is audited
  --force                  restore it although a test fails; this is audited
${ADMIN_OPTIONS}

NUMBER is a state that qf policy history lists. A state that names a machine, person or posture check that is
gone is refused; write it to a file with qf policy get --at, and edit it.
Exit status: 0 if it was restored or changes nothing, 1 if not, 2 for a usage error.

examples:
  qf policy restore 41
  qf policy restore 41 --yes --reason 'OPS-7: locked out the deployers'
`,
  {
    args: {
      number: { type: "positional", required: true },
      yes: { type: "boolean" },
      reason: { type: "string" },
      override: { type: "boolean" },
      force: { type: "boolean" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const number = parseNumber("NUMBER", args.number);
      const admin = await openAdmin(args);
      const { value } = await admin.request("GET", historyPath(number), { answer: PolicyHistoryState });
      if (value.current) say("note", `state ${number} is the one in force`);
      return applyFile(admin, { file: value.file }, args);
    },
  },
);

/** The API's path of one state. */
export function historyPath(number: number): string {
  return `/api/policy/history/${number}`;
}

/** Parses a state's number. Throws ERR_USAGE. */
export function parseNumber(name: string, text: string): number {
  return parseWhole(name, text, { min: 1, max: NUMBER_MAX, unit: "states" });
}
