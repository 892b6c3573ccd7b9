import { expect, test } from "bun:test";
import type { FileRule } from "../../../../src/dashboard/pages/policies/policy-draft.ts";
import {
  capabilityClauses,
  interceptClauses,
  obligationClauses,
  timeClauses,
} from "../../../../src/dashboard/pages/policies/rule-words.ts";

type Ssh = NonNullable<FileRule["ssh"]>;

// A field that the sentence forgot would be in force unseen.
test.each<[ssh: Ssh, clauses: string[]]>([
  [{}, []],
  [{ sftp: "read" }, ["with downloads only"]],
  [{ sftp: "off" }, ["without file transfer"]],
  [{ pty: false }, ["without a terminal"]],
  [{ pty: true }, []],
  [{ agent_forwarding: true }, ["with their SSH agent lent to the machine"]],
  [{ local_forward: [] }, ["without forwarding"]],
  [{ local_forward: ["db:5432", "*:443"] }, ["with forwarding to db:5432 and *:443"]],
  [{ remote_forward: [] }, ["without listening for others"]],
  [{ remote_forward: ["127.0.0.1:*"] }, ["with listening at 127.0.0.1:*"]],
  [{ commands: ["/usr/bin/uptime", "/bin/date"] }, ["for /usr/bin/uptime or /bin/date only"]],
  [{ commands: [] }, ["for no command only"]],
  [{ commands: null }, []],
  [{ env: ["LANG", "LC_*"] }, ["setting LANG and LC_*"]],
  [{ allow_browsers: false }, ["but not from a browser"]],
  [{ allow_browsers: true }, []],
  [{ allow_unmanaged_devices: true }, ["also from clients without a device of ours"]],
])("%j lets people do %j", (ssh, clauses) => expect(capabilityClauses(ssh)).toEqual(clauses));

test.each<[rule: FileRule, clauses: string[]]>([
  [{}, []],
  [{ allow_intercepted: [] }, []],
  [{ allow_intercepted: ["Bastions", "CI"] }, ["also by other programs on machines in Bastions or CI"]],
  [{ allow_intercepted: ["Bastions"], ssh: { allow_unmanaged_devices: true } }, []],
])("%j lets machines bring %j", (rule, clauses) => expect(interceptClauses(rule)).toEqual(clauses));

test.each<[rule: FileRule, clauses: string[]]>([
  [{}, []],
  [{ ssh: { record: "required" } }, ["always recorded"]],
  [{ ssh: { record: "best_effort" } }, ["recorded where possible"]],
  [{ ssh: { record: "off" } }, []],
  [
    { ssh: { record: "required", record_input: "all" } },
    ["always recorded", "with everything they type kept, passwords too"],
  ],
  [{ ssh: { record_input: "shown" } }, []],
  [{ ssh: { max_session_seconds: 28_800 } }, ["for at most 8h"]],
  [{ ssh: { idle_timeout_seconds: 600 } }, ["ending after 10m of silence"]],
  [{ ssh: { reauth_within_seconds: 600 } }, ["signed in within the last 10m"]],
  [{ ssh: { require_reason: true, require_approval: true } }, ["saying why", "once approved"]],
  [
    { ssh: { require_approval: true }, approver_groups: ["Leads", "On call"] },
    ["once approved by a member of Leads or On call"],
  ],
  [
    { ssh: { require_approval: true }, approver_groups: ["Leads"], approval_seconds: 7_200 },
    ["once approved by a member of Leads for at most 2h at a time"],
  ],
  [
    { ssh: { require_approval: true }, approver_groups: [], approval_seconds: 60 },
    ["once approved for at most 1m at a time"],
  ],
  // What no approval is asked for is not said.
  [{ approver_groups: ["Leads"], approval_seconds: 7_200 }, []],
])("%j costs people %j", (rule, clauses) => expect(obligationClauses(rule)).toEqual(clauses));

test.each<[rule: FileRule, clauses: string[]]>([
  [{}, []],
  [
    { schedule: { windows: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "18:00" }] } },
    ["Mon to Fri from 08:00 to 18:00 UTC"],
  ],
  [
    { schedule: { windows: [{ days: ["sun", "mon"], from: "00:00", to: "24:00" }] } },
    ["Mon and Sun from 00:00 to 24:00 UTC"],
  ],
  [
    {
      schedule: {
        windows: [
          { days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from: "08:00", to: "09:00" },
          { days: ["sat"], from: "10:00", to: "11:00" },
        ],
      },
    },
    ["every day from 08:00 to 09:00 UTC or Sat from 10:00 to 11:00 UTC"],
  ],
  [{ valid_from: 1_798_761_600 }, ["from 2027-01-01T00:00Z"]],
])("%j holds %j", (rule, clauses) => expect(timeClauses(rule)).toEqual(clauses));
