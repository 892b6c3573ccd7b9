import { QfError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { Session, SessionDetail, SessionKill } from "../../wire/session.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { print, printTable } from "../output.ts";
import { parseWhole } from "../parse.ts";
import { say } from "../report.ts";
import { detailText, HISTORY_HEADINGS, historyRow, LIVE_HEADINGS, liveRow } from "../session-text.ts";
import { parseWhen } from "../when.ts";

/** Filters of both lists. */
const FILTER_ARGS = {
  user: { type: "string" },
  machine: { type: "string" },
  as: { type: "string" },
  limit: { type: "string", default: "100" },
} as const;
const FILTER_OPTIONS = `\
  --user USER              only this person's: an e-mail address, a name or an id
  --machine PEER           only on this machine: a name or an id
  --as LOCAL-USER          only as this user of the machine
  --limit N                sessions in the page, 1 to 1000 (default: 100)`;

interface FilterArgs {
  readonly user?: string | undefined;
  readonly machine?: string | undefined;
  readonly as?: string | undefined;
  readonly limit: string;
}

/** The path of a list, and its page size. */
function listPath(args: FilterArgs, more: Readonly<Record<string, string | undefined>>) {
  const limit = parseWhole("limit", args.limit, { min: 1, max: 1_000, unit: "sessions" });
  const query = new URLSearchParams({ limit: String(limit) });
  const given = { user: args.user, machine: args.machine, local_user: args.as, ...more };
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, value);
  return { limit, path: `/api/sessions?${query}` };
}

/** Says how to get the next page when this one is full. */
function sayMore(sessions: readonly Session[], limit: number): void {
  const last = sessions.at(-1);
  if (last === undefined || sessions.length < limit) return;
  say("hint", `there may be more: add --before ${Date.parse(last.started_at)}.${last.id}`);
}

export const sessionList = command(
  `
List live SSH sessions: who is on which machine as whom, and what runs. You see your own; administrators and
auditors see all.

usage: qf session list [--user USER] [--machine PEER] [--as LOCAL-USER] [--limit N] [--before PLACE] [--json]

options:
${FILTER_OPTIONS}
  --before PLACE           go on behind an earlier page, from the place it names
${ADMIN_OPTIONS}

examples:
  qf session list
  qf session list --machine web1 --as root
`,
  {
    args: { ...FILTER_ARGS, before: { type: "string" }, ...ADMIN_ARGS },
    async run({ args }) {
      const { limit, path } = listPath(args, { state: "live", cursor: args.before });
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", path, { answer: Session.array() });
      if (args.json === true) return printBody(answer);
      if (answer.value.length === 0) return print("nobody is on\n");
      await printTable(
        LIVE_HEADINGS,
        answer.value.map((one) => liveRow(one)),
      );
      sayMore(answer.value, limit);
    },
  },
);

export const sessionHistory = command(
  `
List SSH sessions that have ended, newest first. You see your own; administrators and auditors see all. They
are kept as long as the audit log.

usage: qf session history [--user USER] [--machine PEER] [--as LOCAL-USER] [--since TIME] [--until TIME]
                          [--limit N] [--before PLACE] [--json]

options:
${FILTER_OPTIONS}
  --since TIME             only those that went on then or later: a time, a date, or how long ago (2h, 7d)
  --until TIME             only those that began before
  --before PLACE           go on behind an earlier page, from the place it names
${ADMIN_OPTIONS}

examples:
  qf session history --since 7d --machine web1
  qf session history --user ada@example.com --json
`,
  {
    args: {
      ...FILTER_ARGS,
      since: { type: "string" },
      until: { type: "string" },
      before: { type: "string" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const since = parseWhen("since", args.since);
      const until = parseWhen("until", args.until);
      const { limit, path } = listPath(args, { state: "ended", since, until, cursor: args.before });
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", path, { answer: Session.array() });
      if (args.json === true) return printBody(answer);
      if (answer.value.length === 0) return print("no session fits\n");
      await printTable(HISTORY_HEADINGS, answer.value.map(historyRow));
      sayMore(answer.value, limit);
    },
  },
);

const ONE_ARGS = { id: { type: "positional", required: true }, ...ADMIN_ARGS } as const;

export const sessionShow = command(
  `
Show an SSH session with all that happened in it: shells and commands, forwards, files, and what was refused.

usage: qf session show ID [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

ID is what qf session list and history show.

examples:
  qf session show d34hgk3f9s8d7f6g5h4j
  qf session show d34hgk3f9s8d7f6g5h4j --json
`,
  {
    args: ONE_ARGS,
    async run({ args }) {
      const admin = await openAdmin(args);
      const path = `/api/sessions/${encodeURIComponent(args.id)}`;
      const answer = await admin.request("GET", path, { answer: SessionDetail });
      return args.json === true ? printBody(answer) : print(detailText(answer.value));
    },
  },
);

export const sessionKill = command(
  `
End a live SSH session at once, with all that runs in it. The person is shown who ended it, and the reason.
You may end your own; administrators may end any.

usage: qf session kill ID [--reason TEXT] [--json] [--management-url URL]

options:
  --reason TEXT            what the person reads on their terminal: one line of at most 160 characters
${ADMIN_OPTIONS}

ID is what qf session list shows.

examples:
  qf session kill d34hgk3f9s8d7f6g5h4j
  qf session kill d34hgk3f9s8d7f6g5h4j --reason 'maintenance until 18:00'
`,
  {
    args: { ...ONE_ARGS, reason: { type: "string" } },
    async run({ args }) {
      const body = SessionKill.safeParse(args.reason === undefined ? {} : { reason: args.reason.trim() });
      if (!body.success) {
        throw new QfError("ERR_USAGE", "--reason must be one printable line of 1 to 160 characters");
      }
      const admin = await openAdmin(args);
      const path = `/api/sessions/${encodeURIComponent(args.id)}/kill`;
      const answer = await admin.request("POST", path, { body: body.data, answer: Session });
      if (args.json === true) return printBody(answer);
      const { id, user, machine, local_user, state } = answer.value;
      const of = printable(`${user} as ${local_user} on ${machine}`);
      if (state === "ended") return print(`ended session ${id} of ${of}\n`);
      say("warning", "its machine has the order and does not confirm the end yet");
      await print(`ordered the end of session ${id} of ${of}\n`);
    },
  },
);
