/** Clients and libraries of many kinds: everything that each has, as beside sshd. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { type BesideSshd, hasSshd } from "../support/beside-sshd.ts";
import { isRoot } from "../support/os-accounts.ts";
import {
  buildClients,
  COMMAND_LINE_CLIENTS,
  openForLibraries,
  runLibrary,
  SSH_LIBRARIES,
  versionOf,
} from "../support/ssh-clients.ts";

/** libssh2, in Debian's. */
const hasCurl = Bun.which("curl") !== null && Bun.spawnSync(["curl", "-V"]).stdout.includes(" sftp ");
/** CURLE_LOGIN_DENIED. 2 or 79 would be no key exchange. */
const LOGIN_DENIED = 67;

if (isRoot && existsSync("/usr/include/libssh/libssh.h")) buildClients("libssh");

describe.skipIf(!isRoot || !hasSshd)("SSH clients", () => {
  let beside: BesideSshd;
  beforeAll(async () => {
    beside = await openForLibraries();
  }, 60_000);
  afterAll(async () => {
    await beside?.[Symbol.asyncDispose]();
  });

  test.skipIf(!hasCurl)(
    "curl, which can show nobody a page, exchanges keys and is refused a login",
    async () => {
      const { machine, sshd } = beside;
      for (const port of [sshd.port, machine.port]) {
        const url = `sftp://127.0.0.1:${port}/etc/hostname`;
        const words = [
          "curl",
          "-sS",
          "--insecure",
          "--max-time",
          "60",
          "--user",
          `${machine.account.name}:none`,
        ];
        expect(await machine.run([...words, url])).toMatchObject({ exitCode: LOGIN_DENIED, stdout: "" });
      }
    },
  );

  for (const library of [...COMMAND_LINE_CLIENTS, ...SSH_LIBRARIES]) {
    test.skipIf(versionOf(library) === null)(
      `${library.name} does with us all that it does with sshd`,
      async () => {
        const wanted = Object.fromEntries(library.checks.map((name) => [name, "ok"]));
        expect(await runLibrary(beside, "qf", library)).toEqual(wanted);
      },
      120_000,
    );
  }
});
