/** Stock OpenSSH through `qf proxy`, with the real drop-in. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { openProxyLab, PEER, PEER_ADDRESS, type ProxyLab } from "../support/proxy-lab.ts";

const MACHINE_HAS_SSHD = existsSync("/usr/sbin/sshd") && process.getuid?.() === 0;

describe.skipIf(!MACHINE_HAS_SSHD)("OpenSSH through the proxy", () => {
  let lab: ProxyLab;
  beforeAll(async () => {
    lab = await openProxyLab();
  }, 60_000);
  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  for (const ttlSeconds of [0, 60]) {
    test(`a command runs, with a login kept for ${ttlSeconds} s`, async () => {
      const person = lab.person(`one-${ttlSeconds}`, ttlSeconds);
      const result = await person.ssh([PEER, "echo out; echo err >&2; exit 7"]);
      expect(result.stderr).toContain("err\n");
      expect(result.stdout).toBe("out\n");
      expect(result.exitCode).toBe(7);
      expect((await person.ssh([PEER_ADDRESS, "echo by address"])).stdout).toBe("by address\n");
    });

    test(`twenty ssh to one host at once all get in, with a login kept for ${ttlSeconds} s`, async () => {
      const person = lab.person(`many-${ttlSeconds}`, ttlSeconds);
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => person.ssh([PEER, `echo ${i}`])));
      expect(all.map(({ stderr }) => stderr).filter((text) => /error|denied/i.test(text))).toEqual([]);
      expect(all.map(({ stdout }) => stdout.trim())).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
      if (ttlSeconds === 0) expect(person.keyFiles()).toEqual([`${PEER}_hosts`]);
    }, 120_000);
  }
});
