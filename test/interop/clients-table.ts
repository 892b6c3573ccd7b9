/**
 * Runs the client programs of `clients/` against sshd and against a machine of ours, and writes CLIENTS.md.
 * Part of `make interop`.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  BUILT_LIBRARIES,
  buildClients,
  COMMAND_LINE_CLIENTS,
  openForLibraries,
  runLibrary,
  SSH_CHECKS,
  SSH_LIBRARIES,
  versionOf,
} from "../support/ssh-clients.ts";

const HEAD = `# SSH clients against qf

Written by \`make interop\`: programs of \`clients/\`, as users of each client write them, once
against Debian's sshd with a key, and once against \`--plain-ssh-listen\` with a person's
approval, or with a certificate where the client takes one. \`-\`: the client has no such thing.

- \`exec\` includes the exit status, \`sftp\` a rename and a symlink (psftp has no word for one).
  \`-R\` is asked for at all addresses. \`refusal\` is a port where nobody listens.
- \`denial\` is an account that the policy does not open to the person: the client says that it
  may not sign in, and shows our sentence. net-ssh shows nothing that a server says after its
  first question.
- paramiko's and JSch's renegotiation in mid-transfer hangs now and then, with sshd as often as
  with us. paramiko's is not tried; JSch's is, between two commands.
- OpenSSH has its own scripts too ([RESULTS.md](RESULTS.md)). \`OpenSSH of a build\` is that of
  \`make interop OPENSSH=FOLDER\`.

| client | server | ${SSH_CHECKS.join(" | ")} |
|---|---|${"---|".repeat(SSH_CHECKS.length)}
`;

buildClients();
const beside = await openForLibraries();
const rows: string[] = [];
let failures = 0;
try {
  for (const library of [...COMMAND_LINE_CLIENTS, ...SSH_LIBRARIES, ...BUILT_LIBRARIES]) {
    const version = versionOf(library);
    if (version === null) {
      rows.push(`| ${library.name} | - | ${SSH_CHECKS.map(() => "not there").join(" | ")} |`);
      continue;
    }
    for (const side of ["sshd", "qf"] as const) {
      const outcome = await runLibrary(beside, side, library);
      const cells = SSH_CHECKS.map((name) => {
        if (!library.checks.includes(name)) return "-";
        if (outcome[name] !== "ok" && side === "qf") failures++;
        return outcome[name] ?? outcome.start ?? "not reached";
      });
      rows.push(`| ${library.name} ${version} | ${side} | ${cells.join(" | ")} |`);
      process.stdout.write(`${rows.at(-1)}\n`);
    }
  }
} finally {
  await beside[Symbol.asyncDispose]();
}
writeFileSync(resolve(import.meta.dir, "CLIENTS.md"), `${HEAD}${rows.join("\n")}\n`);
process.exitCode = failures === 0 ? 0 : 1;
