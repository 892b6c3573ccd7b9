/**
 * Sessions on a machine that systemd boots, under the PAM modules of real systems: logind knows a session
 * while it lasts, limits and further groups apply, and a folder is mounted for it and unmounted with it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLab } from "../support/lab.ts";
import { until } from "../support/until.ts";
import { BootedMachine } from "./machine.ts";

const WAIT_MS_MAX = 90_000;
const VOLUME = "/home/deploy/volume";
const SERVICE = `auth optional pam_group.so
account required pam_unix.so
session required pam_limits.so
session required pam_unix.so
session optional pam_mount.so disable_interactive
session required pam_systemd.so
`;
const MOUNT = `<?xml version="1.0" encoding="utf-8" ?>
<pam_mount><logout wait="0" hup="0" term="0" kill="0" /><mkmountpoint enable="1" remove="true" />
<volume user="deploy" fstype="tmpfs" path="tmpfs" mountpoint="${VOLUME}" options="size=1m" /></pam_mount>
`;

type Check = (what: string, holds: boolean, detail?: string) => void;

export async function pamOn(suite: string, check: Check): Promise<void> {
  await using lab = await openLab();
  const folder = mkdtempSync(join(tmpdir(), "qf-pam-"));
  try {
    const developers = await lab.createGroup("Developers");
    const servers = await lab.createGroup("Servers");
    const ada = await lab.createPerson("ada@example.com", [developers]);
    const authorized = { authorized_groups: { [developers]: ["deploy"] } };
    await lab.createPolicy("deploy", [developers], [servers], authorized);
    await using machine = await BootedMachine.boot(suite, join(folder, "root"));
    const sh = (script: string, stdin?: string) =>
      machine.run(["sh", "-ec", script], stdin === undefined ? {} : { stdin });
    await sh("apt-get update -q; apt-get install -y -q --no-install-recommends libpam-systemd libpam-mount");
    await machine.get("useradd", "-m", "deploy");
    await sh("cat > /etc/pam.d/qufabric", SERVICE);
    await sh("cat > /etc/security/pam_mount.conf.xml", MOUNT);
    await sh("echo 'deploy hard nofile 512' > /etc/security/limits.d/deploy.conf");
    await sh("echo '*;*;deploy;Al0000-2400;games' >> /etc/security/group.conf");
    const key = await lab.createSetupKey([servers]);
    const flags = "--no-signature --allow-server-ssh --name web1 --listen 127.0.0.1:0";
    const line = `curl -fsSL ${lab.url}/install.sh | QF_SETUP_KEY=${key} sh -s -- ${flags}`;
    await machine.get("sh", "-c", line);
    const laptop = lab.device(ada, "laptop");
    const said = async (command: string) => (await laptop.ssh(["deploy@web1", command])).stdout.trim();
    const sessions = async () =>
      (await machine.get("loginctl", "list-sessions", "--no-legend"))
        .split("\n")
        .filter((text) => /\bdeploy\b/.test(text));

    const limit = await said("ulimit -Hn");
    check("limits of pam_limits apply", limit === "512", limit);
    const groups = await said("id -Gn");
    check("groups of pam_group are there", groups.split(" ").includes("games"), groups);
    const mounted = await said(`grep -c ' ${VOLUME} tmpfs ' /proc/mounts; touch ${VOLUME}/file && echo ours`);
    check("pam_mount mounts", mounted === "1\nours", mounted);
    const runtime = await said(
      'test -d "$XDG_RUNTIME_DIR" && test -O "$XDG_RUNTIME_DIR" && echo "$XDG_SESSION_ID"',
    );
    check("pam_systemd gives a folder of one's own, and a session", /^\w+$/.test(runtime), runtime);
    const control = await said("cat /proc/self/cgroup");
    check("the session is in a scope of its own", /session-\w+\.scope/.test(control), control);

    const open = laptop.spawn(["ssh", "deploy@web1", "cat"]);
    await until("loginctl", async () => (await sessions()).length === 1, WAIT_MS_MAX);
    check("loginctl shows the session while it lasts", true);
    open.kill();
    await open.exited;
    const isGone = await until("its end", async () => (await sessions()).length === 0, WAIT_MS_MAX).then(
      () => true,
      () => false,
    );
    check("it ends clean", isGone, (await sessions()).join("\n"));
    const left = await machine.run(["grep", VOLUME, "/proc/mounts"]);
    check("pam_mount unmounts", left.stdout === "", left.stdout);

    const killed = laptop.spawn(["ssh", "deploy@web1", "cat"]);
    await until("loginctl", async () => (await sessions()).length === 1, WAIT_MS_MAX);
    await lab.setGroups(ada, []);
    await killed.exited;
    await until("its end", async () => (await sessions()).length === 0, WAIT_MS_MAX);
    check("a session that is revoked ends clean too", true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
