import { QfError } from "../../base/errors.ts";
import { ReadAuditEvent } from "../../wire/audit-event.ts";
import { ADMIN_ARGS, type Admin, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { lineOf } from "../event-line.ts";
import { print, printJson } from "../output.ts";
import { parseWhole } from "../parse.ts";

/** How long management holds a request for new events. */
const WAIT_SECONDS = 20;
/** Most events in one answer. */
const EVENTS_MAX = 500;

export const auditTail = command(
  `
Show recent audit events: sign-ins, decisions and the rules behind them, sessions, commands, and changes.

usage: qf audit tail [--lines N] [--follow] [--receipt ID] [--json] [--management-url URL]

options:
  --lines N, -n N          show the last N events, 1 to 500 (default: 20)
  --follow, -f             keep showing new events until interrupted
  --receipt ID             show only the refusal with this receipt
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --json                   print the API's response unchanged; with --follow, one event per line

Uses the login made by qf login, or an API token from the file named by QF_TOKEN_FILE. What it may do
depends on the user's role.

examples:
  qf audit tail --follow
  qf audit tail --receipt d34hgk3f9s8d7f6g5h4j
`,
  {
    args: {
      lines: { type: "string", alias: "n", default: "20" },
      receipt: { type: "string" },
      follow: { type: "boolean", alias: "f" },
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

/** The newest events first, or the one with `receipt`. */
function lastEvents(admin: Admin, limit: number, receipt: string | undefined) {
  const query = new URLSearchParams({ limit: String(limit), ...(receipt === undefined ? {} : { receipt }) });
  return admin.request("GET", `/api/events/audit?${query}`, { answer: ReadAuditEvent.array() });
}

function noReceipt(receipt: string): QfError {
  return new QfError("ERR_NOT_FOUND", `no refusal has the receipt ${JSON.stringify(receipt)}`, {
    hint: "a machine that is cut off from management tells of it when it is back",
  });
}

/** Shows events after `known`, forever. */
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
