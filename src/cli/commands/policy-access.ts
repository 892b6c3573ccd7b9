import { isQfError, QfError } from "../../base/errors.ts";
import { AccessPage, type AccessRow, Explanation } from "../../wire/policy-code-api.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, type Admin, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { renderCsv } from "../csv.ts";
import { print, printJson } from "../output.ts";
import { actionQuery } from "../policy-input.ts";
import { ACCESS_HEADINGS, accessCells, accessText, explanationText } from "../policy-output.ts";

export const policyExplain = command(
  `
Explain a decision, rule by rule: the first condition that failed, and what would have to change. Of a
refusal by its receipt, or of a question: may this user be that OS user there?

usage: qf policy explain RECEIPT [--json]
       qf policy explain --user U [--device D] --machine M --as L [--action ACTION] [--json]

options:
  --user U                 e-mail address, id, or issuer|subject (default: you)
  --device D               device, by name (default: the one that comes nearest)
  --machine M              machine, by name
  --as L                   OS user
  --action ACTION          connect, shell, pty, sftp, agent_forwarding, exec:COMMAND, forward:HOST:PORT or
                           remote_forward:HOST:PORT (default: connect)
${ADMIN_OPTIONS}

Without the role auditor or above you may ask about yourself, and rules are not shown.

examples:
  qf policy explain d34hgk3f9s8d7f6g5h4j
  qf policy explain --user ada@example.com --machine web1 --as deploy --action forward:db:5432
`,
  {
    args: {
      receipt: { type: "positional", required: false },
      user: { type: "string" },
      device: { type: "string" },
      machine: { type: "string" },
      as: { type: "string" },
      action: { type: "string" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const query = explainQuery(args);
      const admin = await openAdmin(args);
      if (args.user !== undefined) query.set("user", await personNamed(admin, args.user));
      const answer = await admin.request("GET", `/api/policy/explain?${query}`, { answer: Explanation });
      await (args.json === true ? printBody(answer) : print(explanationText(answer.value)));
    },
  },
);

interface ExplainArgs {
  readonly receipt?: string | undefined;
  readonly user?: string | undefined;
  readonly device?: string | undefined;
  readonly machine?: string | undefined;
  readonly as?: string | undefined;
  readonly action?: string | undefined;
}

function explainQuery({ receipt, user, device, machine, as, action }: ExplainArgs): URLSearchParams {
  const question = { user, device, machine, local_user: as, action: action && actionQuery(action) };
  const given = Object.entries(question).filter((one): one is [string, string] => one[1] !== undefined);
  if (receipt !== undefined && given.length > 0) {
    throw new QfError("ERR_USAGE", "a receipt says what it is about: give no other question beside it");
  }
  if (receipt !== undefined) return new URLSearchParams({ receipt });
  if (machine === undefined || as === undefined) {
    throw new QfError("ERR_USAGE", "give a RECEIPT, or --machine and --as", {
      hint: "for instance: qf policy explain --user ada@example.com --machine web1 --as deploy",
    });
  }
  return new URLSearchParams(given);
}

export const policyWho = command(
  `
List who may log in to a machine, as which OS user, and what for.

usage: qf policy who --machine M [--as L] [--csv] [--json]

options:
  --machine M              machine, by name
  --as L                   only who may be this OS user
  --csv                    print comma-separated values
${ADMIN_OPTIONS}

An OS user of * is any that is not listed beside it.

examples:
  qf policy who --machine web1
  qf policy who --machine web1 --as root --csv
`,
  {
    args: {
      machine: { type: "string", required: true },
      as: { type: "string" },
      csv: { type: "boolean" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const query = { machine: args.machine, ...(args.as === undefined ? {} : { local_user: args.as }) };
      await showTable(await openAdmin(args), "who", query, args);
    },
  },
);

export const policyWhat = command(
  `
List where a user may log in, as which OS user, and what for.

usage: qf policy what --user U [--csv] [--json]

options:
  --user U                 e-mail address, id, or issuer|subject (default: you)
  --csv                    print comma-separated values
${ADMIN_OPTIONS}

An OS user of * is any that is not listed beside it. Without the role auditor or above you may ask about
yourself only.

examples:
  qf policy what --user ada@example.com
  qf policy what --user ada@example.com --json
`,
  {
    args: { user: { type: "string" }, csv: { type: "boolean" }, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const user = args.user === undefined ? undefined : await personNamed(admin, args.user);
      await showTable(admin, "what", user === undefined ? {} : { user }, args);
    },
  },
);

/** Resolves a person's id, e-mail address or name to an id. The server handles anything unknown. */
async function personNamed(admin: Admin, name: string): Promise<string> {
  try {
    return `id:${(await admin.userOf(name)).id}`;
  } catch (error) {
    if (isQfError(error, "ERR_NOT_FOUND")) return name;
    throw error;
  }
}

/** Prints all pages of a table in the requested format. */
async function showTable(
  admin: Admin,
  table: "who" | "what",
  query: Record<string, string>,
  as: { readonly json?: boolean | undefined; readonly csv?: boolean | undefined },
): Promise<void> {
  if (as.json === true && as.csv === true) throw new QfError("ERR_USAGE", "give --json or --csv, not both");
  const rows: AccessRow[] = [];
  let cursor: string | null = null;
  do {
    const page: Record<string, string> = cursor === null ? query : { ...query, cursor };
    const path = `/api/policy/${table}?${new URLSearchParams(page)}`;
    const { value }: { value: AccessPage } = await admin.request("GET", path, { answer: AccessPage });
    rows.push(...value.rows);
    cursor = value.next_cursor;
  } while (cursor !== null);
  if (as.json === true) return printJson(rows);
  if (as.csv === true)
    return print(renderCsv(["user", "machine", "os_user", "capabilities"], rows.map(csvCells)));
  if (rows.length === 0) return print(table === "who" ? "Nobody may log in there.\n" : "Nowhere.\n");
  await print(accessText(rows));
}

function csvCells(row: AccessRow): string[] {
  return accessCells(row).map((cell, i) =>
    i === ACCESS_HEADINGS.length - 1 ? cell.replaceAll(", ", " ") : cell,
  );
}
