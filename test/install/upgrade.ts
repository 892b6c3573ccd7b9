/** Upgrades of a machine that systemd boots, between two real builds that a release key has signed. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Lab, type LabDevice } from "../support/lab.ts";
import { aReleaseKey, type ReleaseKey, writeRelease } from "../support/release.ts";
import { until } from "../support/until.ts";
import { BootedMachine } from "./machine.ts";

const ROOT = resolve(import.meta.dir, "../..");
export const [OLD, NEW, BROKEN] = ["0.1.1", "0.1.2", "0.1.3"] as const;
/** Says its version as it should, and does not come up. */
const doesNotStart = (version: string): string => `#!/bin/sh
[ "$1" != version ] || { echo "qf ${version} (0123456789ab)"; exit 0; }
echo "qf: error: nothing works" >&2
exit 1
`;

export type Check = (what: string, holds: boolean, detail?: string) => void;

function buildRelease(folder: string, version: string, { publicKey }: ReleaseKey): string {
  const outfile = join(folder, `qf-${version}`);
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, "build.ts"], {
    cwd: ROOT,
    env: { ...process.env, QF_OUTFILE: outfile, QF_BUILD_VERSION: version, QF_RELEASE_KEYS: publicKey },
    stdout: "ignore",
    stderr: "pipe",
  });
  if (exitCode !== 0) throw new Error(`build.ts failed: ${stderr}`);
  return outfile;
}

type Walk = (lab: Lab, machine: BootedMachine, check: Check) => Promise<void>;

/** Runs `walk` with a new machine, and a management that offers both builds and one that does not start. */
export async function withReleases(suite: string, check: Check, walk: Walk): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "qf-upgrade-"));
  try {
    const key = aReleaseKey(folder);
    const old = buildRelease(folder, OLD, key);
    const releases = join(folder, "releases");
    const offer = (version: string, executable: Uint8Array): void =>
      writeRelease({ folder: releases, version, key, executable, targets: ["linux-x64"] });
    offer(OLD, readFileSync(old));
    offer(NEW, readFileSync(buildRelease(folder, NEW, key)));
    offer(BROKEN, new TextEncoder().encode(doesNotStart(BROKEN)));
    await using lab = new Lab(old, join(folder, "lab"));
    await lab.initManagement();
    await lab.serveManagement(["--releases", releases]);
    await using machine = await BootedMachine.boot(suite, join(folder, "root"));
    await walk(lab, machine, check);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Installs the old build, upgrades to the new one, and is kept from what does not start. */
export function upgradeOn(suite: string, check: Check): Promise<void> {
  return withReleases(suite, check, walk);
}

/** Ten sessions that say again what they are told; one of them has a forward. */
const SESSIONS = 10;

export async function openSessions(laptop: LabDevice, machine: BootedMachine) {
  const sessions = Array.from({ length: SESSIONS }, () => {
    const child = laptop.spawn(["ssh", "deploy@web1", "cat"]);
    let heard = "";
    const take = (chunk: Uint8Array) => {
      heard += Buffer.from(chunk).toString();
    };
    void child.stdout.pipeTo(new WritableStream({ write: take }));
    return { child, heard: () => heard };
  });
  /** Whether each says a word that none has said yet. */
  const haveEchoes = async (): Promise<boolean> => {
    const word = crypto.randomUUID();
    for (const { child } of sessions) {
      child.stdin.write(`${word}\n`);
      await child.stdin.flush();
    }
    const echoes = () => sessions.every(({ heard }) => heard().includes(word));
    return await until("ten echoes", echoes, 30_000).then(
      () => true,
      () => false,
    );
  };
  if (!(await haveEchoes())) throw new Error("ten sessions did not open");
  const visits: number[] = [];
  return {
    /** Logs in again and again while `task` runs. */
    async whileVisited<T>(task: () => Promise<T>): Promise<T> {
      let isOver = false;
      const visiting = (async () => {
        while (!isOver) visits.push((await laptop.ssh(["deploy@web1", "true"])).exitCode);
      })();
      const done = await task().finally(() => {
        isOver = true;
      });
      await visiting;
      return done;
    },
    async checkAll(check: Check, what: string): Promise<void> {
      check(`ten sessions go on through ${what}`, await haveEchoes());
      const refused = visits.splice(0).filter((status) => status !== 0).length;
      check(`no login is refused meanwhile`, refused === 0, String(refused));
      const status = JSON.parse(await machine.get("qf", "agent", "status", "--json"));
      const known = status.sshServer.sessions.length as number;
      check(`status knows them after ${what}`, known === SESSIONS, String(known));
    },
    async haveEnded(): Promise<boolean> {
      const all = Promise.all(sessions.map(({ child }) => child.exited));
      return (await Promise.race([all, Bun.sleep(10_000).then(() => null)])) !== null;
    },
  };
}

async function walk(lab: Lab, machine: BootedMachine, check: Check): Promise<void> {
  const developers = await lab.createGroup("Developers");
  const servers = await lab.createGroup("Servers");
  const ada = await lab.createPerson("ada@example.com", [developers]);
  await lab.createPolicy("deploy", [developers], [servers], {
    authorized_groups: { [developers]: ["deploy"] },
  });
  await machine.get("useradd", "-m", "deploy");
  const flags = `--version ${OLD} --allow-server-ssh --name web1 --listen 127.0.0.1:0`;
  const key = await lab.createSetupKey([servers]);
  const line = `curl -fsSL ${lab.url}/install.sh | QF_SETUP_KEY=${key} sh -s -- ${flags}`;
  const installed = await machine.run(["sh", "-c", line]);
  check("a signed release is installed", installed.exitCode === 0, installed.stderr + installed.stdout);
  const laptop = lab.device(ada, "laptop");
  const isUpAs = async (version: string): Promise<boolean> => {
    const status = JSON.parse(await machine.get("qf", "agent", "status", "--json"));
    const state = await machine.get("systemctl", "is-active", "qufabric.service");
    const login = await laptop.ssh(["deploy@web1", "id -un"]);
    return status.version === version && state === "active" && login.stdout === "deploy\n";
  };
  check(`${OLD} is up`, await isUpAs(OLD));
  const peek = await machine.run(["qf", "upgrade", "--check", "--version", NEW]);
  check(
    "--check says that there is a newer one",
    peek.exitCode === 1 && peek.stdout.includes(NEW),
    peek.stderr,
  );
  const live = await openSessions(laptop, machine);
  const pidOf = async () => JSON.parse(await machine.get("qf", "agent", "status", "--json")).pid as number;
  const old = await pidOf();
  const moved = await live.whileVisited(() => machine.run(["qf", "upgrade", "--version", NEW]));
  check("qf upgrade moves to it", moved.exitCode === 0, moved.stderr);
  check("another process serves", (await pidOf()) !== old);
  await live.checkAll(check, "an upgrade");
  await live.whileVisited(() => machine.get("systemctl", "restart", "qufabric.service"));
  await until("the agent", async () => (await pidOf().catch(() => old)) !== old, 60_000);
  await live.checkAll(check, "systemctl restart");
  check(`${NEW} is up, enabled at boot`, await isUpAs(NEW));
  check(
    "it starts at boot",
    (await machine.get("systemctl", "is-enabled", "qufabric.service")) === "enabled",
  );
  const failed = await machine.run(["qf", "upgrade"]);
  check(
    "a release that does not come up is taken back",
    failed.exitCode === 1 && (await isUpAs(NEW)),
    failed.stderr,
  );
  await live.checkAll(check, "a failed upgrade");
  await lab.setGroups(ada, []);
  check("a revocation ends those of every earlier agent", await live.haveEnded());
  await lab.setGroups(ada, [developers]);
  const back = await machine.run(["qf", "upgrade", "--version", OLD]);
  check("a downgrade is refused", back.exitCode === 1 && (await isUpAs(NEW)), back.stdout);
  const forced = await machine.run(["qf", "upgrade", "--version", OLD, "--allow-downgrade"]);
  check("and done where root says so", forced.exitCode === 0 && (await isUpAs(OLD)), forced.stderr);
}
