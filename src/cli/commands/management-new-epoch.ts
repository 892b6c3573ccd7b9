import { command } from "../command.ts";
import { parseDatabase } from "../database-url.ts";
import { printJson } from "../output.ts";

const DATA_DIR_DEFAULT = "/var/lib/qufabric-management";

export const managementNewEpoch = command(
  `
Say that the data is meant although machines have newer: an older copy was put back. Until then they refuse
its policy, go on with their own until that is too old, and say so in qf agent status. Prints {epoch} as JSON.

Run it once, after putting the copy back and before qf management serve. What was changed since the copy was
made is undone by it, and with it every revocation: people, devices, logins, API tokens and setup keys that
were ended since are valid again. Look through them before you serve.

usage: qf management new-epoch [--data-dir DIR] [--database-url URL | --database-url-file FILE]

options:
  --data-dir DIR           where everything is kept (default: ${DATA_DIR_DEFAULT})
  --database-url URL       PostgreSQL in place of the data folder's own database, as for serve
  --database-url-file FILE a file that holds it, or QF_DATABASE_URL: the ways for one with a password

examples:
  qf management new-epoch
  qf management new-epoch --database-url-file /etc/qufabric/database-url
`,
  {
    meta: { name: "new-epoch", description: "Make machines take an older copy of the data" },
    args: {
      "data-dir": { type: "string", default: DATA_DIR_DEFAULT, valueHint: "dir", description: "Folder" },
      "database-url": { type: "string", valueHint: "url", description: "PostgreSQL" },
      "database-url-file": { type: "string", valueHint: "file", description: "File with its URL" },
    },
    async run({ args }) {
      const database = parseDatabase(args, process.env);
      const { beginEpoch } = await import("../../management/new-epoch.ts");
      await printJson(await beginEpoch({ dataDir: args["data-dir"], ...database }), "line");
    },
  },
);
