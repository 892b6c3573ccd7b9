import { QfError } from "../../base/errors.ts";
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

usage: qf audit tail [--lines N] [--follow] [--receipt ID] [--json] [--management-url URL]

options:
  --lines N, -n N          events to begin with, 1 to 500 (default: 20)
  --follow, -f             go on with what happens, until interrupted
  --receipt ID             only the refusal that gave this receipt to a person
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --json                   print the API's answer as it is; with --follow one event a line

Uses the login of qf login, and your role decides; or an API token in the file that QF_TOKEN_FILE names.

examples:
  qf audit tail --follow
  qf audit tail --receipt d34hgk3f9s8d7f6g5h4j
`,
  {
    meta: { name: "tail", description: "Show the last audit events" },
    args: {
      lines: { type: "string", alias: "n", default: "20", valueHint: "n", description: "Events" },
      receipt: { type: "string", valueHint: "id", description: "The refusal with this receipt" },
      follow: { type: "boolean", alias: "f", description: "Go on with what happens" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const lines = parseWhole("lines", args.lines, { min: 1, max: EVENTS_MAX, unit: "events" });
      const admin = await openAdmin(args);
      const show = (event: ReadAuditEvent) =>
        args.json === true ? printJson(event, "line") : print(`${lineOf(event)}\n`);
      if (args.receipt !== undefined && args.follow === true) {
        throw new QfError("ERR_USAGE", "--receipt names one event; nothing follows it");
      }
      const answer = await lastEvents(admin, lines, args.receipt);
      if (args.receipt !== undefined && answer.value.length === 0) throw noReceipt(args.receipt);
      if (args.follow !== true && args.json === true) return printBody(answer);
      for (const event of answer.value.toReversed()) await show(event);
      if (args.follow === true) await follow(admin, answer.value, show);
    },
  },
);

/** Newest first; or the one that `receipt` names. */
function lastEvents(admin: Admin, limit: number, receipt: string | undefined) {
  const query = new URLSearchParams({ limit: String(limit), ...(receipt === undefined ? {} : { receipt }) });
  return admin.request("GET", `/api/events/audit?${query}`, { answer: ReadAuditEvent.array() });
}

function noReceipt(receipt: string): QfError {
  return new QfError("ERR_NOT_FOUND", `no refusal has the receipt ${JSON.stringify(receipt)}`, {
    hint: "a machine that is cut off from management tells of it when it is back",
  });
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
