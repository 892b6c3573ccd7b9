import { NEVER, PersonalAccessToken, PersonalAccessTokenGenerated, User } from "../../wire/admin-api.ts";
import { ADMIN_ARGS, ADMIN_OPTIONS, type Admin, deleteAt, openAdmin, printBody, theOne } from "../admin.ts";
import { command } from "../command.ts";
import { print, printTable } from "../output.ts";
import { parseWhole } from "../parse.ts";

const USER_OPTION = "  --user USER              whose, by e-mail address, name or id (default: yours)";
const USER_ARG = { type: "string", valueHint: "user", description: "Whose" } as const;

export const tokenList = command(
  `
List a user's API tokens: names and times, never the tokens.

usage: qf token list [--user USER] [--json]

options:
${USER_OPTION}
${ADMIN_OPTIONS}

examples:
  qf token list
  qf token list --user backup
`,
  {
    meta: { name: "list", description: "List tokens" },
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
          token.last_used === NEVER ? "never" : token.last_used.slice(0, 19).replace("T", " "),
        ]),
      );
    },
  },
);

export const tokenCreate = command(
  `
Create an API token and print it, this once. Scope ssh signs a service user in with qf ssh and opens
nothing else; scope api is for the REST API and these commands.

usage: qf token create NAME [--user USER] [--scope SCOPE] [--expires-in DAYS]

options:
${USER_OPTION}
  --scope SCOPE            api or ssh (default: api)
  --expires-in DAYS        days it is good for, 1 to 365 (default: 30)
${ADMIN_OPTIONS}

examples:
  qf token create laptop
  qf token create nightly --user backup --scope ssh --expires-in 90
`,
  {
    meta: { name: "create", description: "Create a token" },
    args: {
      name: { type: "positional", required: true, description: "Name" },
      user: USER_ARG,
      scope: { type: "enum", options: ["api", "ssh"], default: "api", description: "What it opens" },
      "expires-in": { type: "string", default: "30", valueHint: "days", description: "Days" },
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
Delete an API token: it opens nothing from now on.

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
    meta: { name: "delete", description: "Delete a token" },
    args: {
      token: { type: "positional", required: true, description: "Token" },
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
