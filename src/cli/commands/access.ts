import { QfError } from "../../base/errors.ts";
import { timeText } from "../../base/moment.ts";
import { printableLines } from "../../base/printable.ts";
import { processTerminal } from "../../client/terminal.ts";
import { parseReason } from "../../wire/access-reason.ts";
import { AccessRequest, RequestableGroup } from "../../wire/access-request.ts";
import { forText, parseFor, requestText, stateText, subjectText } from "../access-text.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, type Admin, openAdmin, printBody, printDone } from "../admin.ts";
import { command } from "../command.ts";
import { print, printTable } from "../output.ts";
import { theOne } from "../the-one.ts";

/** Longest wait for the person's answer. */
const ANSWER_MS = 300_000;

export const accessRequest = command(
  `
Ask to be let in: with an approval at one machine, from this device, or as a member of a group for a while.
qf ssh asks for an approval by itself where one is needed.

usage: qf access request --machine PEER --as LOCAL-USER [--for TIME] [--reason TEXT]
       qf access request --group GROUP --reason TEXT [--for TIME]

options:
  --machine PEER           machine to get onto, by name, address or id
  --as LOCAL-USER          OS user there
  --group GROUP            group to be in for a while, by name or id (qf access groups lists them)
  --for TIME               how long, such as 30m, 2h or 1d (default: the longest there is)
  --reason TEXT            what it is for: one line of 3 to 256 characters
${ADMIN_OPTIONS}

examples:
  qf access request --machine web1 --as deploy --reason "OPS-142: disk is full"
  qf access request --group on-call --for 2h --reason "night shift"
`,
  {
    args: {
      machine: { type: "string" },
      as: { type: "string" },
      group: { type: "string" },
      for: { type: "string" },
      reason: { type: "string" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const { machine, as: localUser, group, reason } = args;
      if ((machine === undefined) === (group === undefined)) {
        throw new QfError("ERR_USAGE", "give --machine or --group");
      }
      if (machine !== undefined && localUser === undefined) throw new QfError("ERR_USAGE", "--as is missing");
      if (group !== undefined && reason === undefined) throw new QfError("ERR_USAGE", "--reason is missing");
      const seconds = parseFor(args.for);
      const why = reason === undefined ? undefined : parseReason("--reason", reason);
      const admin = await openAdmin(args);
      const what =
        group === undefined
          ? { kind: "machine", machine, local_user: localUser }
          : { kind: "group", group: await groupId(admin, group) };
      const body = { ...what, seconds, reason: why };
      const answer = await admin.request("POST", "/api/access/requests", { body, answer: AccessRequest });
      const { id, url } = answer.value;
      await printDone(args, answer, `requested ${subjectText(answer.value)} (${id}); decided at ${url}`);
    },
  },
);

export const accessList = command(
  `
List requests: your own and those that you decide about; administrators and auditors see all.

usage: qf access list [--own] [--decide] [--json] [--management-url URL]

options:
  --own                    only your own
  --decide                 only those that wait for a decision of yours
${ADMIN_OPTIONS}

examples:
  qf access list
  qf access list --decide
`,
  {
    args: { own: { type: "boolean" }, decide: { type: "boolean" }, ...ADMIN_ARGS },
    async run({ args }) {
      if (args.own === true && args.decide === true) {
        throw new QfError("ERR_USAGE", "--own and --decide do not go together");
      }
      const which = args.own === true ? "?which=own" : args.decide === true ? "?which=decide" : "";
      const admin = await openAdmin(args);
      const path = `/api/access/requests${which}`;
      const answer = await admin.request("GET", path, { answer: AccessRequest.array() });
      if (args.json === true) return printBody(answer);
      await printTable(
        ["ID", "WHO", "WHAT", "FOR", "STATE", "REASON"],
        answer.value.map((one) => [
          ...[one.id, one.user.name, subjectText(one), forText(one.seconds)],
          ...[stateText(one), one.reason],
        ]),
      );
    },
  },
);

export const accessGroups = command(
  `
List groups that you may ask to be in for a while.

usage: qf access groups [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

examples:
  qf access groups
  qf access groups --json
`,
  {
    args: ADMIN_ARGS,
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("GET", "/api/access/groups", { answer: RequestableGroup.array() });
      if (args.json === true) return printBody(answer);
      await printTable(
        ["NAME", "FOR AT MOST", "YOU ARE IN IT"],
        answer.value.map(({ name, request_seconds_max, member }) => [
          ...[name, forText(request_seconds_max)],
          member === null ? "no" : member === "standing" ? "yes" : `until ${timeText(member)}`,
        ]),
      );
    },
  },
);

export const accessApprove = command(
  `
Approve a request. It is shown first, and you are asked. Takes a sign-in of the last five minutes.

usage: qf access approve REQUEST [--for TIME] [--yes] [--json] [--management-url URL]

options:
  --for TIME               less time than is asked for, such as 30m
  --yes                    do not ask
${ADMIN_OPTIONS}

examples:
  qf access approve cn4v3k1q0d2m8s6t9x5z
  qf access approve cn4v3k1q0d2m8s6t9x5z --for 30m --yes
`,
  {
    args: {
      request: { type: "positional", required: true },
      for: { type: "string" },
      yes: { type: "boolean" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const seconds = parseFor(args.for);
      const admin = await openAdmin(args);
      const shown = await find(admin, args.request);
      if (args.yes !== true) await confirm(shown, seconds);
      const body = { decision: "approve", digest: shown.digest, seconds };
      const answer = await decide(admin, shown, body);
      await printDone(args, answer, `${subjectText(answer.value)} ${stateText(answer.value)}`);
    },
  },
);

export const accessDeny = command(
  `
Deny a request. Takes a sign-in of the last five minutes.

usage: qf access deny REQUEST [--reason TEXT] [--json] [--management-url URL]

options:
  --reason TEXT            why: the person who asked reads it
${ADMIN_OPTIONS}

examples:
  qf access deny cn4v3k1q0d2m8s6t9x5z
  qf access deny cn4v3k1q0d2m8s6t9x5z --reason "use the staging machine"
`,
  {
    args: { request: { type: "positional", required: true }, reason: { type: "string" }, ...ADMIN_ARGS },
    async run({ args }) {
      const note = args.reason === undefined ? undefined : parseReason("--reason", args.reason, "denial");
      const admin = await openAdmin(args);
      const shown = await find(admin, args.request);
      const answer = await decide(admin, shown, { decision: "deny", digest: shown.digest, note });
      await printDone(args, answer, `denied ${subjectText(answer.value)}`);
    },
  },
);

export const accessEnd = command(
  `
Take a request of your own back, or end what was approved: connections that only it let in end with it.

usage: qf access end REQUEST [--json] [--management-url URL]

options:
${ADMIN_OPTIONS}

examples:
  qf access end cn4v3k1q0d2m8s6t9x5z
  qf access end cn4v3k1q0d2m8s6t9x5z --json
`,
  {
    args: { request: { type: "positional", required: true }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const answer = await admin.request("DELETE", pathOf(args.request), { answer: AccessRequest });
      const what = answer.value.state === "cancelled" ? "took back" : "ended";
      await printDone(args, answer, `${what} ${subjectText(answer.value)}`);
    },
  },
);

function pathOf(id: string): string {
  return `/api/access/requests/${encodeURIComponent(id)}`;
}

async function find(admin: Admin, id: string): Promise<AccessRequest> {
  return (await admin.request("GET", pathOf(id), { answer: AccessRequest })).value;
}

function decide(admin: Admin, { id }: AccessRequest, body: object) {
  return admin.request("POST", `${pathOf(id)}/decision`, { body, answer: AccessRequest });
}

async function groupId(admin: Admin, name: string): Promise<string> {
  const { value } = await admin.request("GET", "/api/access/groups", { answer: RequestableGroup.array() });
  const keysOf = (group: RequestableGroup) => [group.id, group.name];
  return theOne("group", name, value, keysOf, ({ id }) => id, "qf access groups").id;
}

/** Shows the request and asks. Throws ERR_USAGE without a terminal, or when the answer is no. */
async function confirm(shown: AccessRequest, seconds: number | undefined): Promise<void> {
  if (!processTerminal.canAsk()) {
    throw new QfError("ERR_USAGE", "nobody can be asked here", { hint: "give --yes" });
  }
  await print(`${printableLines(requestText(shown))}`);
  const time = forText(seconds ?? shown.seconds_max);
  const typed = await processTerminal.ask(`Approve for ${time}? [y/N] `, AbortSignal.timeout(ANSWER_MS));
  if (/^y(?:es)?$/i.test(typed)) return;
  throw new QfError("ERR_USAGE", "not approved");
}
