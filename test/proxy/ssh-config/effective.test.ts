import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkSsh } from "../../../src/proxy/ssh-config/check-ssh.ts";
import { readEffective } from "../../../src/proxy/ssh-config/effective.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const HOST = "web1.qf.internal";
const environment = { PATH: "/usr/bin:/bin", HOME: "/nonexistent" };

/** An ssh of these contents and this mode. */
function program(contents: string, mode: number): string {
  const path = join(tempFolder(), "ssh");
  writeFileSync(path, contents);
  chmodSync(path, mode);
  return path;
}

test.each([
  ["is missing", () => join(tempFolder(), "ssh")],
  ["may not be run", () => program("#!/bin/sh\nexit 0\n", 0o644)],
  ["is no program", () => program("\x7fELF and nothing else", 0o755)],
  ["is a folder", () => tempFolder()],
])("an ssh that %s cannot be started, and that is said", async (_what, make) => {
  const ssh = make();
  const said = `${ssh} cannot be started`;
  expect(await readEffective({ ssh, args: [], host: HOST, environment })).toEqual({
    effective: undefined,
    said,
  });
  const [finding] = await checkSsh({ environment, domain: "qf.internal", ssh });
  expect(finding).toMatchObject({ status: "problem", message: expect.stringContaining(said) });
});

test("an ssh that does not take its configuration says why itself", async () => {
  const args = ["-F", join(tempFolder(), "absent")];
  const { effective, said } = await readEffective({ ssh: "/usr/bin/ssh", args, host: HOST, environment });
  expect(effective).toBeUndefined();
  expect(said).toContain("absent");
});

test("ssh tells what it would use", async () => {
  const args = ["-F", "none", "-o", "Port=2222"];
  const { effective } = await readEffective({ ssh: "/usr/bin/ssh", args, host: HOST, environment });
  expect(effective?.get("port")).toEqual(["2222"]);
});
