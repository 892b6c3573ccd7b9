import { command } from "../command.ts";
import { parseDatabase } from "../database-url.ts";
import { printJson } from "../output.ts";
import { parseWhole } from "../parse.ts";

const DATA_DIR_DEFAULT = "/var/lib/qufabric-management";

export const managementToken = command(
  `
Make an API token on the management host, for when no owner can sign in. Prints {userId, token, expiresAt} as
JSON, this once; it is an event in the audit log. With the data folder's own database the server must be
stopped meanwhile; with PostgreSQL it may go on.

usage: qf management token [--user EMAIL] [--expires-in DAYS] [--data-dir DIR]

options:
  --user EMAIL             whose token, by e-mail address or id (default: the first owner)
  --expires-in DAYS        days it is good for, 1 to 365 (default: 1)
  --data-dir DIR           where everything is kept (default: ${DATA_DIR_DEFAULT})
  --database-url URL       PostgreSQL in place of the data folder's own database, as for serve
  --database-url-file FILE a file that holds it, or QF_DATABASE_URL: the ways for one with a password

examples:
  qf management token
  qf management token --user ada@example.com --expires-in 7
`,
  {
    meta: { name: "token", description: "Make an API token on this host" },
    args: {
      user: { type: "string", valueHint: "email", description: "Whose" },
      "expires-in": { type: "string", default: "1", valueHint: "days", description: "Days" },
      "data-dir": { type: "string", default: DATA_DIR_DEFAULT, valueHint: "dir", description: "Folder" },
      "database-url": { type: "string", valueHint: "url", description: "PostgreSQL" },
      "database-url-file": { type: "string", valueHint: "file", description: "File with its URL" },
    },
    async run({ args }) {
      const days = parseWhole("expires-in", args["expires-in"], { min: 1, max: 365, unit: "days" });
      const database = parseDatabase(args, process.env);
      const { makeHostToken } = await import("../../management/host-token.ts");
      const made = await makeHostToken({ dataDir: args["data-dir"], ...database, user: args.user, days });
      await printJson(made, "line");
    },
  },
);
