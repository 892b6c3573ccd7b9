import { command } from "../command.ts";
import { parseDatabase } from "../database-url.ts";
import { printJson } from "../output.ts";

const DATA_DIR_DEFAULT = "/var/lib/qufabric-management";

export const managementNewEpoch = command(
  `
Make machines accept data restored from a backup. Machines that have seen newer data refuse the restored
policy: they keep the one they have until it is too old, and qf agent status says so. This command starts
a new epoch, which they accept. Prints {epoch} as JSON.

Run it once, after restoring the backup and before qf management serve. Every change made since the backup
is lost, including revocations: people, devices, logins, API tokens and setup keys that were revoked or
deleted since then are valid again. Review them before you start the server.

usage: qf management new-epoch [--data-dir DIR] [--database-url URL | --database-url-file FILE]

options:
  --data-dir DIR           data folder (default: ${DATA_DIR_DEFAULT})
  --database-url URL       PostgreSQL database to use, as for qf management serve
  --database-url-file FILE file with that URL; use this or QF_DATABASE_URL if it has a password

examples:
  qf management new-epoch
  qf management new-epoch --database-url-file /etc/qufabric/database-url
`,
  {
    args: {
      "data-dir": { type: "string", default: DATA_DIR_DEFAULT },
      "database-url": { type: "string" },
      "database-url-file": { type: "string" },
    },
    async run({ args }) {
      const database = parseDatabase(args, process.env);
      const { beginEpoch } = await import("../../management/new-epoch.ts");
      await printJson(await beginEpoch({ dataDir: args["data-dir"], ...database }), "line");
    },
  },
);
