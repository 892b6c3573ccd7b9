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
  runTransfers,
  SSH_CHECKS,
  SSH_LIBRARIES,
  type SshLibrary,
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
- \`rekey\` is asked for by the client. paramiko has it in the second table only, since its own
  request for one fails now and then with any server.
- OpenSSH has its own scripts too ([RESULTS.md](RESULTS.md)). \`OpenSSH of a build\` is that of
  \`make interop OPENSSH=FOLDER\`.

| client | server | ${SSH_CHECKS.join(" | ")} |
|---|---|${"---|".repeat(SSH_CHECKS.length)}
`;

const TRANSFERS = 10;
const TRANSFERS_HEAD = `
## Transfers while keys change

${TRANSFERS} of 10 MiB of random bytes with each, compared byte for byte. paramiko and JSch fail where
a key exchange falls into a transfer, with sshd as with us, and are let be; nobody may get other bytes.

| client | sshd | qf |
|---|---|---|
`;

buildClients();
const beside = await openForLibraries();
const rows: string[] = [];
const transferRows: string[] = [];
let failures = 0;

async function carryOn(side: "sshd" | "qf", library: SshLibrary): Promise<string> {
  const outcomes = await runTransfers(beside, side, library, TRANSFERS);
  const whole = outcomes.filter((outcome) => outcome === "ok").length;
  const wrong = outcomes.filter((outcome) => outcome.includes("other bytes")).length;
  if (side === "qf" && (wrong > 0 || (library.rekeyed === "whole" && whole < TRANSFERS))) failures++;
  const odd = outcomes.find((outcome) => outcome !== "ok");
  if (odd !== undefined) process.stdout.write(`${library.name} ${side}: ${odd}\n`);
  return `${whole} whole, ${wrong} wrong, ${TRANSFERS - whole - wrong} without end`;
}

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
    if (library.rekeyed === undefined) continue;
    const sides = [await carryOn("sshd", library), await carryOn("qf", library)];
    transferRows.push(`| ${library.name} ${version} | ${sides.join(" | ")} |`);
    process.stdout.write(`${transferRows.at(-1)}\n`);
  }
} finally {
  await beside[Symbol.asyncDispose]();
}
writeFileSync(
  resolve(import.meta.dir, "CLIENTS.md"),
  `${HEAD}${rows.join("\n")}\n${TRANSFERS_HEAD}${transferRows.join("\n")}\n`,
);
process.exitCode = failures === 0 ? 0 : 1;
