import { agoText } from "../../base/moment.ts";
import { NEVER, PersonalAccessToken, PersonalAccessTokenGenerated, User } from "../../wire/admin-api.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, type Admin, deleteAt, openAdmin, printBody } from "../admin.ts";
import { command } from "../command.ts";
import { print, printTable } from "../output.ts";
import { parseWhole } from "../parse.ts";
import { theOne } from "../the-one.ts";

const USER_OPTION =
  "  --user USER              user whose token it is, by e-mail address, name or id (default: you)";
const USER_ARG = { type: "string" } as const;

export const tokenList = command(
  `
List a user's API tokens: names and times, never the tokens themselves.

usage: qf token list [--user USER] [--json]

options:
${USER_OPTION}
${ADMIN_OPTIONS}

examples:
  qf token list
  qf token list --user backup
`,
  {
    args: { user: USER_ARG, ...ADMIN_ARGS },
    async run({ args }) {
      const admin = await openAdmin(args);
      const path = `/api/users/${await userIdOf(admin, args.user)}/tokens`;
      const answer = await admin.request("GET", path, { answer: PersonalAccessToken.array() });
      if (args.json === true) return printBody(answer);
      await printTable(
        ["ID", "NAME", "SCOPE", "EXPIRES", "LAST USED"],
        answer.value.map((token) => [
          token.id,
          token.name,
          token.scope ?? "api",
          token.expiration_date.slice(0, 10),
          token.last_used === NEVER ? "never" : agoText(token.last_used),
        ]),
      );
    },
  },
);

export const tokenCreate = command(
  `
Create an API token and print it; it is not shown again. A token of scope api is for the REST API and
these commands. A token of scope ssh only signs a service user in with qf ssh.

usage: qf token create NAME [--user USER] [--scope SCOPE] [--expires-in DAYS]

options:
${USER_OPTION}
  --scope SCOPE            api, ssh, or dangerous: api without fresh sign-ins (default: api)
  --expires-in DAYS        days until it expires, 1 to 365 (default: 30)
${ADMIN_OPTIONS}

examples:
  qf token create laptop
  qf token create nightly --user backup --scope ssh --expires-in 90
`,
  {
    args: {
      name: { type: "positional", required: true },
      user: USER_ARG,
      scope: { type: "enum", options: ["api", "ssh", "dangerous"], default: "api" },
      "expires-in": { type: "string", default: "30" },
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const days = parseWhole("expires-in", args["expires-in"], { min: 1, max: 365, unit: "days" });
      const admin = await openAdmin(args);
      const answer = await admin.request("POST", `/api/users/${await userIdOf(admin, args.user)}/tokens`, {
        body: { name: args.name, expires_in: days, scope: args.scope },
        answer: PersonalAccessTokenGenerated,
      });
      if (args.json === true) return printBody(answer);
      const { plain_token: token, personal_access_token: stored } = answer.value;
      await print(`created token ${args.name} (${stored.id})\ntoken: ${token}\nIt is shown this once.\n`);
    },
  },
);

export const tokenDelete = command(
  `
Delete an API token. It stops working at once.

usage: qf token delete TOKEN [--user USER]

options:
${USER_OPTION}
${ADMIN_OPTIONS}

TOKEN is a token's name or id, never the token itself.

examples:
  qf token delete laptop
  qf token delete nightly --user backup
`,
  {
    args: {
      token: { type: "positional", required: true },
      user: USER_ARG,
      ...ADMIN_ARGS,
    },
    async run({ args }) {
      const admin = await openAdmin(args);
      const path = `/api/users/${await userIdOf(admin, args.user)}/tokens`;
      const { value } = await admin.request("GET", path, { answer: PersonalAccessToken.array() });
      const token = theOne("token", args.token, value, (one) => [one.id, one.name]);
      await deleteAt(admin, args, { path: `${path}/${token.id}`, what: `token ${args.token} (${token.id})` });
    },
  },
);

async function userIdOf(admin: Admin, name: string | undefined): Promise<string> {
  if (name !== undefined) return (await admin.userOf(name)).id;
  return (await admin.request("GET", "/api/users/current", { answer: User })).value.id;
}
