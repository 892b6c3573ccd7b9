/** An ssh(1) that was told to take any host key, through `qf proxy connect`. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openProxyLab, PEER, type Person, type ProxyLab } from "../support/proxy-lab.ts";
import { otherHostKey } from "../support/ssh-machine.ts";

const MACHINE_HAS_SSHD = existsSync("/usr/sbin/sshd") && process.getuid?.() === 0;
const REFUSED = "qf: error: the peer has another host key than management says\n";

describe.skipIf(!MACHINE_HAS_SSHD)("an ssh that takes any host key", () => {
  let lab: ProxyLab;
  let ada: Person;
  beforeAll(async () => {
    lab = await openProxyLab();
    ada = lab.person("ada", 3_600);
    await ada.ssh([PEER, "true"]);
  }, 60_000);
  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  for (const options of [
    ["StrictHostKeyChecking=no"],
    ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"],
    ["StrictHostKeyChecking=accept-new"],
    ["StrictHostKeyChecking=off"],
    ["StrictHostKeyChecking=ask", "UserKnownHostsFile=~/known"],
    ["UserKnownHostsFile=~/.ssh/known_hosts"],
    ["VerifyHostKeyDNS=yes"],
  ]) {
    const words = options.flatMap((option) => ["-o", option]);

    test(`gets in where the key is the peer's, with ${options.join(" and ")}`, async () => {
      const result = await ada.ssh([...words, PEER, "cat; echo err >&2; exit 7"], { stdin: "in\n" });
      expect(result.stderr).toContain("err\n");
      expect([result.stdout, result.exitCode]).toEqual(["in\n", 7]);
    }, 60_000);

    test(`is kept from any other, with the reason, with ${options.join(" and ")}`, async () => {
      lab.say({ hostKeys: [otherHostKey()] });
      const result = await ada.ssh([...words, PEER, "echo in"]);
      lab.say({ hostKeys: lab.hostKeys });
      expect(result.stderr).toContain(REFUSED);
      expect([result.stdout, result.exitCode]).toEqual(["", 255]);
    }, 60_000);
  }

  test("a line in the configuration file is the same", async () => {
    const bob = lab.person("bob", 3_600);
    const text = readFileSync(bob.configPath, "utf8");
    writeFileSync(bob.configPath, `StrictHostKeyChecking no\n${text}`);
    expect((await bob.ssh([PEER, "echo in"])).stdout).toBe("in\n");
    lab.say({ hostKeys: [] });
    expect((await bob.ssh([PEER, "echo in"])).stderr).toContain(REFUSED);
    lab.say({ hostKeys: lab.hostKeys });
  }, 60_000);

  test("a login of one connection works as well, four at once", async () => {
    const eve = lab.person("eve", 0);
    const all = await Promise.all(
      Array.from({ length: 4 }, (_, i) => eve.ssh(["-o", "StrictHostKeyChecking=no", PEER, `echo ${i}`])),
    );
    expect(all.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 4 }, (_, i) => `${i}\n`));
  }, 120_000);

  test("under ControlPersist the reason is seen, and the master lasts", async () => {
    const control = ["-o", `ControlPath=${join(ada.home, "control")}`];
    const persist = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", "StrictHostKeyChecking=no"];
    lab.say({ hostKeys: [otherHostKey()] });
    expect((await ada.ssh([...control, ...persist, PEER, "echo in"])).stderr).toContain(REFUSED);
    lab.say({ hostKeys: lab.hostKeys });
    expect((await ada.ssh([...control, ...persist, PEER, "echo in"])).stdout).toBe("in\n");
    expect((await ada.ssh([...control, PEER, "echo again"])).stdout).toBe("again\n");
    expect((await ada.ssh([...control, "-O", "exit", PEER])).exitCode).toBe(0);
  }, 60_000);

  test("much goes through both ways, byte for byte, and ends", async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(8 * 1024 * 1024));
    const [here, back] = [join(ada.home, "here"), join(ada.home, "back")];
    writeFileSync(here, bytes);
    const line = `ssh -F ${ada.configPath} -o StrictHostKeyChecking=no ${PEER} cat < ${here} > ${back}`;
    expect(await ada.run(["sh", "-c", line])).toMatchObject({ stderr: "", exitCode: 0 });
    expect(readFileSync(back).equals(readFileSync(here))).toBe(true);
  }, 60_000);
});
