import { command } from "../command.ts";
import { parseDatabase } from "../database-url.ts";
import { printJson } from "../output.ts";
import { parseWhole } from "../parse.ts";

const DATA_DIR_DEFAULT = "/var/lib/qufabric-management";

export const managementToken = command(
  `
Create an API token on the management host, for when no owner can sign in. Prints {userId, token,
expiresAt} as JSON; the token is not shown again. The audit log records it. Stop the server first if it
uses the database in the data folder; with PostgreSQL it may keep running.

usage: qf management token [--user EMAIL] [--expires-in DAYS] [--data-dir DIR]

options:
  --user EMAIL             user the token is for, by e-mail address or id (default: the first owner)
  --expires-in DAYS        days until it expires, 1 to 365 (default: 1)
  --data-dir DIR           data folder (default: ${DATA_DIR_DEFAULT})
  --database-url URL       PostgreSQL database to use, as for qf management serve
  --database-url-file FILE file with that URL; use this or QF_DATABASE_URL if it has a password

examples:
  qf management token
  qf management token --user ada@example.com --expires-in 7
`,
  {
    args: {
      user: { type: "string" },
      "expires-in": { type: "string", default: "1" },
      "data-dir": { type: "string", default: DATA_DIR_DEFAULT },
      "database-url": { type: "string" },
      "database-url-file": { type: "string" },
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
