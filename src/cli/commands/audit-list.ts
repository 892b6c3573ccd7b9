import { ReadAuditEvent } from "../../wire/audit-event.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { lineOf } from "../event-line.ts";
import { print } from "../output.ts";
import { parseWhole } from "../parse.ts";
import { say } from "../report.ts";
import { parseWhen } from "../when.ts";

export const auditList = command(
  `
List audit events by what they say, newest first. Management searches; the answer comes in pages.

usage: qf audit list [--user USER] [--machine PEER] [--activity CODE] [--since TIME] [--until TIME]
                     [--receipt ID] [--limit N] [--before SEQ] [--json]

options:
  --user USER              only what this person did: an e-mail address, a name or an id
  --machine PEER           only what this machine or device saw, or what happened to it: a name or an id
  --activity CODE          only this activity; CODE.* takes all that begin so, such as ssh.*
  --since TIME             only what happened from then on: a time, a date, or how long ago (2h, 7d)
  --until TIME             only what happened before
  --receipt ID             only the refusal with this receipt
  --limit N                events in the page, 1 to 1000 (default: 100)
  --before SEQ             go on behind an earlier page, from the number it names
${ADMIN_OPTIONS}

examples:
  qf audit list --user ada@example.com --since 7d
  qf audit list --machine web1 --activity 'ssh.session.*' --json
`,
  {
    args: {
      user: { type: "string" },
      machine: { type: "string" },
      activity: { type: "string" },
      since: { type: "string" },
      until: { type: "string" },
      receipt: { type: "string" },
      limit: { type: "string", default: "100" },
      before: { type: "string" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const { user, machine, activity, receipt } = args;
      const limit = parseWhole("limit", args.limit, { min: 1, max: 1_000, unit: "events" });
      const given = {
        user,
        machine,
        activity,
        receipt,
        since: parseWhen("since", args.since),
        until: parseWhen("until", args.until),
        cursor: args.before,
      };
      const query = new URLSearchParams({ limit: String(limit) });
      for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, value);
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
