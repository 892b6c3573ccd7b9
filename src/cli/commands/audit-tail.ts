import { QfError } from "../../base/errors.ts";
import { ReadAuditEvent } from "../../wire/audit-event.ts";
import { ADMIN_ARGS, type Admin, type Answer, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { FILTER_ARGS, FILTER_OPTIONS, filterQuery } from "../event-filter.ts";
import { lineOf } from "../event-line.ts";
import { print, printJson } from "../output.ts";
import { parseWhole } from "../parse.ts";

/** How long management holds a request for new events. */
const WAIT_SECONDS = 20;
/** Most events in one answer. */
const EVENTS_MAX = 500;
/** Pause after an answer without events. */
const IDLE_MS = 250;
const SEQ = /^\d{1,16}$/;

export const auditTail = command(
  `
Show recent audit events: sign-ins, decisions and the rules behind them, sessions, commands, and changes.

usage: qf audit tail [--lines N] [--follow] [--user USER] [--machine PEER] [--activity CODE] [--since TIME]
                     [--until TIME] [--receipt ID] [--json] [--management-url URL]

options:
  --lines N, -n N          show the last N events, 1 to 500 (default: 20)
  --follow, -f             keep showing new events until interrupted
${FILTER_OPTIONS}
  --management-url URL     management server (default: QF_MANAGEMENT_URL, your config, this machine's agent)
  --json                   print the API's response unchanged; with --follow, one event per line

Uses the login made by qf login, or an API token from the file named by QF_TOKEN_FILE. What it may do
depends on the user's role.

examples:
  qf audit tail --follow
  qf audit tail --follow --machine web1 --activity 'ssh.*'
  qf audit tail --receipt d34hgk3f9s8d7f6g5h4j
`,
  {
    args: {
      lines: { type: "string", alias: "n", default: "20" },
      ...FILTER_ARGS,
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
      const filter = filterQuery(args);
      const answer = await eventsBy(admin, filter, { limit: lines });
      if (args.receipt !== undefined && answer.value.length === 0) throw noReceipt(args.receipt);
      if (args.follow !== true && args.json === true) return printBody(answer);
      for (const event of answer.value.toReversed()) await show(event);
      if (args.follow === true) await follow(admin, { filter, start: placeAfter(answer, "0") }, show);
    },
  },
);

/** Events that `filter` fits: the newest first, or those after one. */
function eventsBy(admin: Admin, filter: URLSearchParams, page: Readonly<Record<string, number | string>>) {
  const query = new URLSearchParams(filter);
  for (const [name, value] of Object.entries(page)) query.set(name, String(value));
  return admin.request("GET", `/api/events/audit?${query}`, { answer: ReadAuditEvent.array() });
}

function noReceipt(receipt: string): QfError {
  return new QfError("ERR_NOT_FOUND", `no refusal has the receipt ${JSON.stringify(receipt)}`, {
    hint: "a machine that is cut off from management tells of it when it is back",
  });
}

/** Where to go on after `answer`: behind all that it was searched in, not only what it shows. */
function placeAfter({ value, seen }: Answer<readonly ReadAuditEvent[]>, before: string): string {
  if (seen !== undefined && SEQ.test(seen)) return seen;
  // An older management does not say.
  const ids = [before, ...value.map(({ id }) => id)].map(Number);
  return String(Math.max(...ids));
}

/** Shows events from a place on, forever. */
async function follow(
  admin: Admin,
  { filter, start }: { readonly filter: URLSearchParams; readonly start: string },
  show: (event: ReadAuditEvent) => Promise<void>,
): Promise<never> {
  let place = start;
  for (;;) {
    const page = { after_seq: place, limit: EVENTS_MAX, wait_seconds: WAIT_SECONDS };
    const answer = await eventsBy(admin, filter, page);
    for (const event of answer.value) await show(event);
    place = placeAfter(answer, place);
    // Management answers at each new event, also at those that the filter leaves out.
    if (answer.value.length === 0) await Bun.sleep(IDLE_MS);
  }
}
