import { QfError } from "../../base/errors.ts";
import { parseReason } from "../../wire/access-reason.ts";
import { Account } from "../../wire/admin-api.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, type Admin, type Answer, openAdmin, printBody } from "../admin.ts";
import { assign, fitTo, flatten, type JsonObject, parseAssignment } from "../assignments.ts";
import { closest } from "../closest.ts";
import { command } from "../command.ts";
import { changePath, FORCE_ARGS, FORCE_OPTION } from "../force.ts";
import { print, printTable } from "../output.ts";
import { parseRepeated } from "../parse.ts";

export const accountGet = command(
  `
Show the account: its domain and every setting.

usage: qf account get [KEY] [--json]

options:
${ADMIN_OPTIONS}

KEY is a setting or a prefix: require shows every setting that begins with require.

examples:
  qf account get
  qf account get login_seconds_max
`,
  {
    args: {
      key: { type: "positional", required: false },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const answer = await fetchAccount(await openAdmin(args));
      if (args.json === true) return printBody(answer);
      const { settings, ...rest } = theAccount(answer);
      const all = flatten({ id: rest.id, domain: rest.domain, ...settings });
      const { key } = args;
      const shown =
        key === undefined ? all : all.filter(([name]) => name === key || name.startsWith(`${key}.`));
      if (shown.length === 0) throw unknownSetting(String(key), all);
      await printTable(
        ["SETTING", "VALUE"],
        shown.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
      );
    },
  },
);

export const accountSet = command(
  `
Change account settings. Open connections that the new settings do not allow are closed at once.

usage: qf account set KEY=VALUE [--also KEY=VALUE]... [--reason TEXT]

options:
  --also KEY=VALUE         another setting to change at the same time; may be repeated
  --reason TEXT            why policy_source is changed; needed once it is set
${FORCE_OPTION}
${ADMIN_OPTIONS}

KEY is a setting shown by qf account get. VALUE is JSON or plain text; a,b is a list.

examples:
  qf account set login_seconds_max=28800
  qf account set require.reason=true --also device_approval=admin
`,
  {
    args: {
      assignment: { type: "positional", required: true },
      also: { type: "string" },
      reason: { type: "string" },
      ...FORCE_ARGS,
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const given = [args.assignment, ...parseRepeated(args.also)].map(parseAssignment);
      const assignments = fitTo(Account.shape.settings, given);
      const reason =
        args.reason === undefined ? {} : { reason: parseReason("--reason", args.reason, "change") };
      const admin = await openAdmin(args);
      const account = theAccount(await fetchAccount(admin));
      const settings: JsonObject = account.settings;
      for (const { path } of assignments) requireSetting(settings, path);
      const body = { settings: assign(settings, assignments), onboarding: account.onboarding, ...reason };
      const answer = await admin.request("PUT", changePath(`/api/accounts/${account.id}`, args), {
        body,
        answer: Account,
      });
      if (args.json === true) return printBody(answer);
      const before = JSON.stringify(settings);
      const isSame = JSON.stringify(answer.value.settings) === before;
      await print(
        isSame ? "nothing changed: the settings were so already\n" : "changed the account's settings\n",
      );
    },
  },
  { repeatable: ["also"] },
);

function fetchAccount(admin: Admin): Promise<Answer<Account[]>> {
  return admin.request("GET", "/api/accounts", { answer: Account.array() });
}

function theAccount({ value: [account] }: Answer<Account[]>): Account {
  if (account === undefined) throw new QfError("ERR_NOT_FOUND", "there is no account");
  return account;
}

/** Refuses a mistyped key, since the API ignores unknown fields. */
function requireSetting(settings: JsonObject, path: readonly string[]): void {
  if (path[0] !== undefined && path[0] in settings) return;
  throw unknownSetting(path.join("."), flatten(settings));
}

function unknownSetting(key: string, all: readonly (readonly [string, unknown])[]): QfError {
  const near = closest(
    key,
    all.map(([name]) => name),
  );
  return new QfError("ERR_USAGE", `there is no setting ${JSON.stringify(key)}`, {
    hint: near === undefined ? "qf account get shows all" : `did you mean ${near}?`,
  });
}
