/**
 * Runs the client programs of `clients/` against sshd and against a machine of ours, and writes CLIENTS.md.
 * Part of `make interop`.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { openBesideSshd } from "../support/beside-sshd.ts";
import { BUILT_LIBRARIES, runLibrary, SSH_CHECKS, SSH_LIBRARIES, versionOf } from "../support/ssh-clients.ts";

const HEAD = `# SSH libraries against qf

Written by \`make interop\`: programs of \`clients/\`, as users of each library write them, once
against Debian's sshd with a key, and once against \`--plain-ssh-listen\` with a person's
approval. \`-\`: the library, or its program here, has no such thing. \`sftp\` includes a rename
and a symlink, \`-R\` is asked for at all addresses, \`refusal\` is a port where nobody listens.

paramiko's renegotiation hangs now and then, with sshd as often as with us, and is not tried.
OpenSSH has its own scripts ([RESULTS.md](RESULTS.md)); dbclient, plink and psftp have tests of
their own.

| library | server | ${SSH_CHECKS.join(" | ")} |
|---|---|${"---|".repeat(SSH_CHECKS.length)}
`;

const beside = await openBesideSshd({ rule: { ssh: { allow_unmanaged_devices: true } } });
const rows: string[] = [];
let failures = 0;
try {
  for (const library of [...SSH_LIBRARIES, ...BUILT_LIBRARIES]) {
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
