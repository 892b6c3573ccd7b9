import { ReadAuditEvent } from "../../wire/audit-event.ts";
import { ADMIN_ARGS, type Admin, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { lineOf } from "../event-line.ts";
import { print, printJson } from "../output.ts";
import { parseWhole } from "../parse.ts";

/** How long management holds a question for what is new. */
const WAIT_SECONDS = 20;
/** Most events in one answer. */
const EVENTS_MAX = 500;

export const auditTail = command(
  `
Show the last audit events: who signed in, what was decided and by which rule, sessions, commands, changes.

usage: qf audit tail [--lines N] [--follow] [--json] [--management-url URL]

options:
  --lines N, -n N          events to begin with, 1 to 500 (default: 20)
  --follow, -f             go on with what happens, until interrupted
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --json                   print the API's answer as it is; with --follow one event a line

Uses the login of qf login, and your role decides; or an API token in the file that QF_TOKEN_FILE names.

examples:
  qf audit tail --follow
  qf audit tail --lines 100 --json
`,
  {
    meta: { name: "tail", description: "Show the last audit events" },
    args: {
      lines: { type: "string", alias: "n", default: "20", valueHint: "n", description: "Events" },
      follow: { type: "boolean", alias: "f", description: "Go on with what happens" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const lines = parseWhole("lines", args.lines, { min: 1, max: EVENTS_MAX, unit: "events" });
      const admin = await openAdmin(args);
      const show = (event: ReadAuditEvent) =>
        args.json === true ? printJson(event, "line") : print(`${lineOf(event)}\n`);
      const answer = await lastEvents(admin, lines);
      if (args.follow !== true && args.json === true) return printBody(answer);
      for (const event of answer.value.toReversed()) await show(event);
      if (args.follow === true) await follow(admin, answer.value, show);
    },
  },
);

/** Newest first. */
function lastEvents(admin: Admin, limit: number) {
  return admin.request("GET", `/api/events/audit?limit=${limit}`, { answer: ReadAuditEvent.array() });
}

/** Shows what comes after `known`, for ever. */
async function follow(
  admin: Admin,
  known: readonly ReadAuditEvent[],
  show: (event: ReadAuditEvent) => Promise<void>,
): Promise<never> {
  let last = known[0]?.id ?? "0";
  for (;;) {
    const path = `/api/events/audit?after_seq=${last}&limit=${EVENTS_MAX}&wait_seconds=${WAIT_SECONDS}`;
    const { value } = await admin.request("GET", path, { answer: ReadAuditEvent.array() });
    for (const event of value) {
      await show(event);
      last = event.id;
    }
  }
}
