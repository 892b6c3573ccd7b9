/** `qf` in a folder with a hostile `.env`, `bunfig.toml` and `node_modules` ignores them, in every role. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openLab } from "../support/lab.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";

/** What ssh2 would load if it were there. */
const OPTIONAL_MODULES = ["cpu-features", "cpu-features.node", "sshcrypto.node"];

test.skipIf(!isRoot)("no role reads .env, bunfig.toml or modules of the working directory", async () => {
  await using lab = await openLab({ start: false });
  using account = new OsAccount("hostile");
  const folder = join(lab.root, "hostile");
  const marker = join(lab.root, "marker");
  mkdirSync(folder);
  for (const directory of [folder, account.home, lab.root]) {
    writeFileSync(
      join(directory, ".env"),
      `QF_MANAGEMENT_URL=http://127.0.0.1:1\nQF_TOKEN=stolen\nBUN_OPTIONS=--preload=${folder}/evil.ts\n`,
    );
    writeFileSync(join(directory, "bunfig.toml"), `preload = ["${folder}/evil.ts"]\n`);
    writeFileSync(
      join(directory, "evil.ts"),
      `require("node:fs").appendFileSync(${JSON.stringify(marker)}, process.argv.join(" ") + "\\n");\n`,
    );
    writeFileSync(join(directory, "package.json"), `{"name":"evil","main":"evil.ts"}\n`);
    writeFileSync(
      join(directory, "tsconfig.json"),
      `{"compilerOptions":{"paths":{"*":["${folder}/evil.ts"]}}}\n`,
    );
    for (const name of OPTIONAL_MODULES) {
      const path = join(directory, "node_modules", name);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, "package.json"), `{"name":"${name}","main":"index.js"}\n`);
      writeFileSync(
        join(path, "index.js"),
        `require("node:fs").appendFileSync(${JSON.stringify(marker)}, "module\\n");\n`,
      );
    }
  }

  await lab.initManagement();
  await lab.serveManagement();
  const devs = await lab.createGroup("Developers");
  const servers = await lab.createGroup("Servers");
  const person = await lab.createPerson("ada@example.com", [devs]);
  await lab.createPolicy("devs", [devs], [servers], { authorized_groups: { [devs]: [account.name] } });
  await lab.startAgent("web1", { groups: [servers] });
  const device = lab.device(person, "laptop");

  const version = await lab.qf(["version"], { cwd: folder });
  expect(version.exitCode).toBe(0);
  const session = await device.ssh([`${account.name}@web1`, "pwd; env"], { cwd: folder });
  expect(session.exitCode).toBe(0);
  expect(session.stdout).toContain(account.home);
  expect(session.stdout).not.toMatch(/BUN_|NODE_|stolen|LD_/);
  const audit = await lab.qf(["audit", "tail"], {
    cwd: folder,
    env: { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url },
  });
  expect(audit.exitCode).toBe(0);
  expect(existsSync(marker)).toBe(false);
});
