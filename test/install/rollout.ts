/**
 * Rollouts from management to a machine that systemd boots: to a real build that a release key has signed, to
 * one that does not start, and while root does not allow it.
 */
import type { Rollout } from "../../src/wire/rollout.ts";
import type { Lab } from "../support/lab.ts";
import { until } from "../support/until.ts";
import type { BootedMachine } from "./machine.ts";
import { BROKEN, type Check, NEW, OLD, openSessions, withReleases } from "./upgrade.ts";

const ROLLOUT_MS_MAX = 300_000;

/** A machine that runs the old build, with ten sessions on it. */
export function rolloutOn(suite: string, check: Check): Promise<void> {
  return withReleases(suite, check, walk);
}

async function walk(lab: Lab, machine: BootedMachine, check: Check): Promise<void> {
  const developers = await lab.createGroup("Developers");
  const servers = await lab.createGroup("Servers");
  const ada = await lab.createPerson("ada@example.com", [developers]);
  const authorized = { authorized_groups: { [developers]: ["deploy"] } };
  await lab.createPolicy("deploy", [developers], [servers], authorized);
  await machine.get("useradd", "-m", "deploy");
  const key = await lab.createSetupKey([servers]);
  const flags = `--version ${OLD} --allow-server-ssh --name web1 --listen 127.0.0.1:0`;
  await machine.get("sh", "-c", `curl -fsSL ${lab.url}/install.sh | QF_SETUP_KEY=${key} sh -s -- ${flags}`);
  const laptop = lab.device(ada, "laptop");
  const live = await openSessions(laptop, machine);
  const versionOf = async (): Promise<string> =>
    JSON.parse(await machine.get("qf", "agent", "status", "--json")).version;

  const start = (version: string) =>
    lab.api<Rollout>("POST", "/api/rollouts", { version, stages: [100], pause_seconds: 0 });
  const stateOf = ({ id }: Rollout) => lab.api<Rollout>("GET", `/api/rollouts/${id}`);
  const ends = (rollout: Rollout) =>
    until(
      "the end of the rollout",
      async () => {
        const now = await stateOf(rollout);
        return now.state === "running" ? undefined : now;
      },
      ROLLOUT_MS_MAX,
    );

  const nobody = await ends(await start(NEW));
  check(
    "a machine whose root has not allowed it is left alone",
    nobody.machines.not_allowed === 1 && nobody.machines.done === 0 && (await versionOf()) === OLD,
    JSON.stringify(nobody),
  );
  await machine.get("qf", "agent", "up", "--allow-managed-upgrades");
  const moved = await live.whileVisited(async () => ends(await start(NEW)));
  check(
    "a rollout moves the machine",
    moved.state === "finished" && moved.machines.done === 1,
    JSON.stringify(moved),
  );
  check(`it runs ${NEW}`, (await versionOf()) === NEW);
  await live.checkAll(check, "a rollout");
  const state = await machine.get("systemctl", "is-active", "qufabric.service");
  check("systemd knows that it is up", state === "active", state);
  const halted = await live.whileVisited(async () => ends(await start(BROKEN)));
  check("a release that does not come up halts it", halted.state === "halted", JSON.stringify(halted));
  check(`it runs ${NEW} again`, (await versionOf()) === NEW);
  await live.checkAll(check, "a rollout that halted");
  await lab.api("DELETE", `/api/rollouts/${halted.id}`);
  const below = await ends(await start(OLD));
  check(
    "a release below it is for nobody",
    below.state === "finished" && below.machines.done === 0 && (await versionOf()) === NEW,
    JSON.stringify(below),
  );
  const left = await machine.get("find", "/usr/local/bin", "-name", ".qf*");
  check("nothing is left beside the executable", left === "", left);
}
