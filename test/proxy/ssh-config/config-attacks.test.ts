import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runAttacks } from "../../../src/client/selftest/attack.ts";
import { configAttacks } from "../../../src/proxy/ssh-config/config-attacks.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const folder = tempFolder();
const environment = { PATH: process.env.PATH, HOME: folder };

async function outcomes(options: Partial<Parameters<typeof configAttacks>[0]>) {
  const attacks = configAttacks({ environment, ssh: undefined, names: null, ...options });
  const { results } = await runAttacks(attacks);
  return Object.fromEntries(results.map(({ id, outcome, detail }) => [id, [outcome, detail]]));
}

/** A program in the place of ssh(1). */
function anSsh(name: string, script: string): string {
  const path = join(folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

test("what is written from names holds, and what cannot be tried is said", async () => {
  expect(await outcomes({ names: async () => ["web1.qf.internal"] })).toEqual({
    config_domain: ["held", null],
    config_known_hosts: ["held", null],
    config_names: ["held", null],
    config_names_given: ["held", null],
    config_ssh_runs: ["skipped", "there is no ssh here"],
  });
  expect((await outcomes({})).config_names_given?.[0]).toBe("skipped");
});

test.each(["web1 github.com", "web1\nweb2", "Web1", "*"])(
  "a machine that is called %j breaks it",
  async (name) => {
    const { config_names_given: given } = await outcomes({ names: async () => ["web2", name] });
    expect(given?.[0]).toBe("broke");
  },
);

test.each([
  ["runs what it is given", 'for word; do eval "$word"; done 2>/dev/null; exit 1', "broke"],
  ["takes any host for a machine of ours", 'echo "proxycommand qf proxy connect x 22"', "broke"],
  ["refuses them all", "exit 255", "held"],
  ["knows none of them", 'echo "hostname x"', "held"],
])("an ssh that %s: %#", async (words, script, outcome) => {
  const ssh = anSsh(words.replaceAll(" ", "-"), script);
  expect((await outcomes({ ssh })).config_ssh_runs?.[0]).toBe(outcome);
});

test.skipIf(Bun.which("ssh") === null)("the system's own ssh holds", async () => {
  const ssh = Bun.which("ssh") ?? "";
  expect((await outcomes({ ssh })).config_ssh_runs).toEqual(["held", null]);
  const config = join(folder, "config");
  writeFileSync(config, "Host *\n  Tag x\n");
});
