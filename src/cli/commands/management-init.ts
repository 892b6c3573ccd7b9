import { QfError } from "../../base/errors.ts";
import { command } from "../command.ts";
import { parseDatabase } from "../database-url.ts";
import { printJson } from "../output.ts";

/** Longest password read from stdin. */
const PASSWORD_BYTES_MAX = 1024;
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
      const ownerPassword = await passwordFromStdin();
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

/** The first line of stdin, without its line break. */
async function passwordFromStdin(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new QfError("ERR_USAGE", "the password is read from a file or a pipe, not from a terminal", {
      hint: "for instance: qf management init ... --owner-password-stdin < password.txt",
    });
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    bytes += chunks.at(-1)?.length ?? 0;
    if (bytes > PASSWORD_BYTES_MAX)
      throw new QfError("ERR_USAGE", "the password on standard input is too long");
  }
  return (Buffer.concat(chunks).toString("utf8").split("\n")[0] ?? "").replace(/\r$/, "");
}
