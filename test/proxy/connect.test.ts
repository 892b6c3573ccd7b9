/** `qf proxy connect` on a system that neither says who called nor takes a connection over, as macOS. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { platformFor } from "../../src/base/platform/platform.ts";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import { DOMAIN, openProxyLab, PEER, type Person, type ProxyLab } from "../support/proxy-lab.ts";
import { otherHostKey } from "../support/ssh-machine.ts";
import { until } from "../support/until.ts";

const MACHINE_HAS_SSHD = existsSync("/usr/sbin/sshd") && process.getuid?.() === 0;
const source = (path: string) => new URL(`../../src/${path}`, import.meta.url).pathname;

describe.skipIf(!MACHINE_HAS_SSHD)("OpenSSH on such a system", () => {
  let lab: ProxyLab;
  let ada: Person;
  let bob: Person;

  beforeAll(async () => {
    lab = await openProxyLab();
    ada = lab.person("ada", 3_600);
    const preload = join(lab.root, "as-elsewhere.ts");
    const platform = JSON.stringify(source("base/platform/platform.ts"));
    const facts = "{ seesCallers: false, passesDescriptors: false, seesReads: false }";
    writeFileSync(preload, `import { platform } from ${platform};\nObject.assign(platform, ${facts});\n`);
    const executable = join(lab.root, "qf");
    const command = [process.execPath, "--preload", preload, source("main.ts")].map((word) => `'${word}'`);
    writeFileSync(executable, `#!/bin/sh\nexec ${command.join(" ")} "$@"\n`);
    chmodSync(executable, 0o755);
    const dropIn = { executable, domain: DOMAIN, configDir: undefined, shortNames: false };
    bob = lab.person("bob", 0);
    for (const { configPath } of [ada, bob]) {
      const before = readFileSync(configPath, "utf8");
      const rest = before.slice(before.indexOf("Host *"));
      writeFileSync(configPath, `${renderDropIn(dropIn, platformFor("darwin"))}${rest}`);
    }
  }, 60_000);

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  /** An ssh that takes any host key: only we compare it. */
  const ANY_KEY = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "KnownHostsCommand=none"];
  const anyKey = ANY_KEY.flatMap((option) => ["-o", option]);

  test("gets its bytes carried, with the exit status", async () => {
    const result = await ada.ssh([PEER, "cat; exit 7"], { stdin: "in\n" });
    expect([result.stdout, result.exitCode]).toEqual(["in\n", 7]);
  }, 60_000);

  test("much goes through both ways, and ends", async () => {
    const [here, back] = [join(ada.home, "here"), join(ada.home, "back")];
    writeFileSync(here, crypto.getRandomValues(new Uint8Array(2 * 1024 * 1024)));
    const line = `ssh -F ${ada.configPath} ${PEER} cat < ${here} > ${back}`;
    expect((await ada.run(["sh", "-c", line])).exitCode).toBe(0);
    expect(readFileSync(back).equals(readFileSync(here))).toBe(true);
  }, 60_000);

  test("a login of one connection leaves no key for the next, while it still goes on", async () => {
    const held = join(bob.home, "held");
    const first = bob.ssh([PEER, `touch ${held}; until [ -e ${held}.over ]; do sleep 0.1; done; echo first`]);
    await until("the first session", () => existsSync(held), 60_000);
    expect(existsSync(join(bob.home, ".config/qufabric/openssh", PEER))).toBe(false);
    const second = await bob.ssh([PEER, "echo second"]);
    writeFileSync(`${held}.over`, "");
    expect([second.stdout, second.exitCode]).toEqual(["second\n", 0]);
    expect((await first).stdout).toBe("first\n");
  }, 60_000);

  test("meets no other machine, even when it would take any host key", async () => {
    expect((await ada.ssh([...anyKey, PEER, "echo in"])).stdout).toBe("in\n");
    lab.say({ hostKeys: [otherHostKey()] });
    const result = await ada.ssh([...anyKey, PEER, "echo in"]);
    lab.say({ hostKeys: lab.hostKeys });
    expect([result.stdout, result.exitCode]).toEqual(["", 255]);
    expect(result.stderr).toContain("another host key");
  }, 60_000);
});
