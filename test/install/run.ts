/**
 * `make test-install`: from the curl line to a first login on a machine that systemd boots, and what becomes
 * of the agent when it, its launcher or the machine is killed; then everything is removed again. Upgrades
 * between two signed builds, and the services of OpenRC and runit, come after that.
 *
 * Needs root, debootstrap and systemd-nspawn; takes some minutes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLab } from "../support/lab.ts";
import { until } from "../support/until.ts";
import { faultsOn } from "./faults.ts";
import { otherInits } from "./inits.ts";
import { BootedMachine, filesOf } from "./machine.ts";
import { packagesOn } from "./packages.ts";
import { pamOn } from "./pam.ts";
import { resolverOn } from "./resolver.ts";
import { rolloutOn } from "./rollout.ts";
import { upgradeOn } from "./upgrade.ts";

const SUITES = process.argv.slice(2);
const WAIT_MS_MAX = 90_000;

let failed = 0;
function check(what: string, holds: boolean, detail = ""): void {
  if (!holds) failed += 1;
  process.stdout.write(`${holds ? "ok  " : "FAIL"} ${what}${holds ? "" : `: ${detail}`}\n`);
}

async function installOn(suite: string): Promise<void> {
  process.stdout.write(`== ${suite}\n`);
  await using lab = await openLab();
  const folder = mkdtempSync(join(tmpdir(), "qf-install-"));
  const developers = await lab.createGroup("Developers");
  const servers = await lab.createGroup("Servers");
  const ada = await lab.createPerson("ada@example.com", [developers]);
  await lab.createPolicy("deploy", [developers], [servers], {
    authorized_groups: { [developers]: ["deploy"] },
  });
  const key = await lab.createSetupKey([servers]);
  try {
    await using machine = await BootedMachine.boot(suite, join(folder, "root"));
    await machine.get("useradd", "-m", "deploy");
    const before = await filesOf(machine);
    const beganMs = performance.now();
    const flags = "--no-signature --allow-server-ssh --name web1 --listen 127.0.0.1:0";
    const line = `curl -fsSL ${lab.url}/install.sh | QF_SETUP_KEY=${key} sh -s -- ${flags}`;
    const installed = await machine.run(["sh", "-c", line]);
    check("the curl line installs and joins", installed.exitCode === 0, installed.stderr + installed.stdout);
    const laptop = lab.device(ada, "laptop");
    const login = async () => (await laptop.ssh(["deploy@web1", "id -un"])).stdout === "deploy\n";
    check("a person logs in", await login());
    process.stdout.write(
      `     ${Math.round((performance.now() - beganMs) / 1000)} s from the curl line to the login\n`,
    );

    const show = (name: string) => machine.get("systemctl", "show", "-P", name, "qufabric.service");
    check(
      "systemd knows that it is up",
      (await show("ActiveState")) === "active" && (await show("Type")) === "notify",
    );
    check(
      "the main process is the launcher",
      (await machine.get("ps", "-o", "comm=", "-p", await show("MainPID"))) === "sh",
    );
    check("no key is on any command line", !(await machine.get("ps", "-eo", "args")).includes(key));

    const agentPid = async () =>
      JSON.parse(await machine.get("qf", "agent", "status", "--json")).pid as number;
    const isBack = (what: string, old: number) =>
      until(
        what,
        async () => (await agentPid().catch(() => old)) !== old && (await login()),
        WAIT_MS_MAX,
      ).then(
        () => check(what, true),
        (error: unknown) => check(what, false, String(error)),
      );
    let old = await agentPid();
    await machine.get("kill", "-9", String(old));
    await isBack("the agent comes back after kill -9", old);
    old = await agentPid();
    await machine.get("kill", "-9", await show("MainPID"));
    await isBack("it comes back after kill -9 of its launcher", old);
    old = await agentPid();
    await machine.get("systemctl", "restart", "qufabric.service");
    await isBack("it comes back after systemctl restart", old);
    old = await agentPid();
    await machine.get("kill", "-STOP", String(old));
    await machine.get("systemctl", "kill", "--kill-whom=main", "-s", "ABRT", "qufabric.service");
    await isBack("the watchdog's signal ends an agent that hangs", old);
    await machine.reboot();
    await isBack("it comes back after the power was cut", -1);

    const again = await machine.run([
      "sh",
      "-c",
      `curl -fsSL ${lab.url}/install.sh | sh -s -- --no-signature`,
    ]);
    check("the line may be run again", again.exitCode === 0 && (await login()), again.stderr);
    const gone = await machine.run(["sh", "-c", `curl -fsSL ${lab.url}/install.sh | sh -s -- --uninstall`]);
    check("uninstall succeeds", gone.exitCode === 0, gone.stderr);
    const after = await filesOf(machine);
    const left = after.filter((file) => !before.includes(file));
    check("uninstall leaves nothing", left.length === 0, left.join(" "));
    check("no process of it is left", (await machine.run(["pgrep", "-x", "qf"])).stdout === "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const suite of SUITES.length > 0 ? SUITES : ["bookworm"]) {
  await installOn(suite);
  await upgradeOn(suite, check);
  await rolloutOn(suite, check);
  await packagesOn(suite, check);
  await resolverOn(suite, check);
  await pamOn(suite, check);
  await faultsOn(suite, check);
  await otherInits(suite, check);
}
process.stdout.write(failed === 0 ? "all passed\n" : `${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
