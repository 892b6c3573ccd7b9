import { QfError } from "../../base/errors.ts";
import { command } from "../command.ts";
import { parseDatabase } from "../database-url.ts";
import { printJson } from "../output.ts";

const DATA_DIR_DEFAULT = "/var/lib/qufabric-management";

export const managementRotate = command(
  `
Replace a key of management. log-key is the key that signs checkpoints of the audit log: the old key and the
new one both sign the change, which becomes an entry of the log, and machines and devices follow it by that.
Prints [{accountId, origin, key}] as JSON.

Stop the server first if it uses the database in the data folder; with PostgreSQL it may keep running.

usage: qf management rotate log-key [--data-dir DIR] [--database-url URL | --database-url-file FILE]

options:
  --data-dir DIR           data folder (default: ${DATA_DIR_DEFAULT})
  --master-key-file FILE   key that encrypts the other keys (default: DIR/master.key)
  --database-url URL       PostgreSQL database to use, as for qf management serve
  --database-url-file FILE file with that URL; use this or QF_DATABASE_URL if it has a password

examples:
  qf management rotate log-key
  qf management rotate log-key --database-url-file /etc/qufabric/database-url
`,
  {
    args: {
      what: { type: "positional", required: true },
      "data-dir": { type: "string", default: DATA_DIR_DEFAULT },
      "master-key-file": { type: "string" },
      "database-url": { type: "string" },
      "database-url-file": { type: "string" },
    },
    async run({ args }) {
      if (args.what !== "log-key") {
        throw new QfError("ERR_USAGE", `there is no key ${JSON.stringify(args.what)} to rotate`, {
          hint: "qf management rotate log-key",
        });
      }
      const database = parseDatabase(args, process.env);
      const masterKeyFile = args["master-key-file"];
      const { rotateLogKeys } = await import("../../management/rotate-log-key.ts");
      const where = { dataDir: args["data-dir"], ...database };
      await printJson(
        await rotateLogKeys(masterKeyFile === undefined ? where : { ...where, masterKeyFile }),
        "line",
      );
    },
  },
);
