import { QfError } from "../../base/errors.ts";
import { command } from "../command.ts";
import { parseDatabase } from "../database-url.ts";
import { printJson } from "../output.ts";
import { passwordFromStdin } from "../password-input.ts";

const DATA_DIR_DEFAULT = "/var/lib/qufabric-management";

export const managementInit = command(
  `
Create the data folder of a management server, its keys and the owner. Prints {accountId, ownerId, token}
as JSON. The token is an API token for the owner and is not shown again. Fails if the folder is already
set up.

usage: qf management init --owner-email EMAIL --owner-password-stdin [--data-dir DIR] [--master-key-file FILE]
                          [--database-url URL | --database-url-file FILE]

options:
  --owner-email EMAIL      e-mail address with which the owner signs in
  --owner-password-stdin   read the owner's password from standard input; required, because
                           other users could read a password on the command line
  --data-dir DIR           data folder (default: ${DATA_DIR_DEFAULT})
  --master-key-file FILE   key that encrypts the other keys; created if absent (default: DIR/master.key)
  --database-url URL       PostgreSQL database to use instead of the one in the data folder, such as
                           postgres://qf@db.example.com/qf; several processes may share it. Options of
                           the URL: sslmode (disable, require, verify-ca, verify-full), sslrootcert, host
                           (socket folder)
  --database-url-file FILE file with that URL; use this or QF_DATABASE_URL if it has a password

examples:
  qf management init --owner-email you@example.com --owner-password-stdin < password.txt
  openssl rand -base64 18 | tee owner.pass | qf management init --owner-email you@example.com \\
      --owner-password-stdin --data-dir ./management
`,
  {
    args: {
      "owner-email": { type: "string", required: true },
      "owner-password-stdin": { type: "boolean", required: true },
      "data-dir": { type: "string", default: DATA_DIR_DEFAULT },
      "master-key-file": { type: "string" },
      "database-url": { type: "string" },
      "database-url-file": { type: "string" },
    },
    async run({ args }) {
      if (args["owner-password-stdin"] !== true) {
        throw new QfError("ERR_USAGE", "--owner-password-stdin is missing");
      }
      const database = parseDatabase(args, process.env);
      const ownerPassword = await passwordFromStdin("qf management init ... --owner-password-stdin");
      const { initManagement } = await import("../../management/init.ts");
      const masterKeyFile = args["master-key-file"];
      await printJson(
        await initManagement({
          dataDir: args["data-dir"],
          ownerEmail: args["owner-email"],
          ownerPassword,
          ...database,
          ...(masterKeyFile === undefined ? {} : { masterKeyFile }),
        }),
        "line",
      );
    },
  },
);
