/**
 * Our SFTP server as a program, for `sftp -D`: `bun sftp-main.ts [-R] [-l journal]`.
 * The journal `refuse` is one that cannot be written.
 */
import { appendFileSync } from "node:fs";
import { runSftpServer } from "../../src/agent/sftp/server.ts";

const argv = process.argv.slice(2);
const journal = argv.includes("-l") ? argv[argv.indexOf("-l") + 1] : undefined;
process.exitCode = runSftpServer({
  mode: argv.includes("-R") ? "read" : "write",
  ...(journal === undefined
    ? {}
    : {
        onOperation: (operation) => {
          if (journal === "refuse") throw new Error("no room for evidence");
          return (status) => {
            const size = (_: string, value: unknown) => (typeof value === "bigint" ? Number(value) : value);
            appendFileSync(journal, `${JSON.stringify({ ...operation, status }, size)}\n`);
          };
        },
      }),
});
