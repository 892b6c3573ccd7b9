import { ReadAuditEvent } from "../../wire/audit-event.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { FILTER_ARGS, FILTER_OPTIONS, filterQuery } from "../event-filter.ts";
import { lineOf } from "../event-line.ts";
import { print } from "../output.ts";
import { parseWhole } from "../parse.ts";
import { say } from "../report.ts";

export const auditList = command(
  `
List audit events by what they say, newest first. Management searches; the answer comes in pages.

usage: qf audit list [--user USER] [--machine PEER] [--activity CODE] [--since TIME] [--until TIME]
                     [--receipt ID] [--limit N] [--before SEQ] [--json]

options:
${FILTER_OPTIONS}
  --limit N                events in the page, 1 to 1000 (default: 100)
  --before SEQ             go on behind an earlier page, from the number it names
${ADMIN_OPTIONS}

examples:
  qf audit list --user ada@example.com --since 7d
  qf audit list --machine web1 --activity 'ssh.session.*' --json
`,
  {
    args: {
      ...FILTER_ARGS,
      limit: { type: "string", default: "100" },
      before: { type: "string" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const limit = parseWhole("limit", args.limit, { min: 1, max: 1_000, unit: "events" });
      const query = filterQuery(args);
      query.set("limit", String(limit));
      if (args.before !== undefined) query.set("cursor", args.before);
      const admin = await openAdmin(args);
      const path = `/api/events/audit?${query}`;
      const answer = await admin.request("GET", path, { answer: ReadAuditEvent.array() });
      if (args.json === true) return printBody(answer);
      for (const event of answer.value) await print(`${lineOf(event)}\n`);
      const last = answer.value.at(-1);
      if (last !== undefined && answer.value.length === limit) {
        say("hint", `there may be more: add --before ${last.id}`);
      }
    },
  },
);
