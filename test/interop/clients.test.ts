/** Libraries of other languages, without a certificate: everything that each has, as beside sshd. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type BesideSshd, hasSshd, openBesideSshd } from "../support/beside-sshd.ts";
import { isRoot } from "../support/os-accounts.ts";
import { runLibrary, SSH_LIBRARIES, versionOf } from "../support/ssh-clients.ts";

describe.skipIf(!isRoot || !hasSshd)("SSH libraries", () => {
  let beside: BesideSshd;
  beforeAll(async () => {
    beside = await openBesideSshd({ rule: { ssh: { allow_unmanaged_devices: true } } });
  }, 60_000);
  afterAll(async () => {
    await beside?.[Symbol.asyncDispose]();
  });

  for (const library of SSH_LIBRARIES) {
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
