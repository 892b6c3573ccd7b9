/**
 * Faults at the start of an agent that systemd runs: each is named in one line, the service is never `failed`
 * for good, and it serves again by itself once the fault is gone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/echo.ts";
import { openLab } from "../support/lab.ts";
import { until } from "../support/until.ts";
import { BootedMachine } from "./machine.ts";

type Check = (what: string, holds: boolean, detail?: string) => void;
const WAIT_MS_MAX = 120_000;
const STATE = "/var/lib/qufabric";

interface Fault {
  readonly name: string;
  /** What the journal says. */
  readonly line: string;
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
}

/** Stops the agent, starts it with the fault, and takes the fault away. */
async function meet(fault: Fault, machine: BootedMachine, login: () => Promise<boolean>, check: Check) {
  const show = (name: string) => machine.get("systemctl", "show", "-P", name, "qufabric.service");
  await machine.get("systemctl", "stop", "qufabric.service");
  await fault.begin();
  try {
    await machine.get("systemctl", "start", "--no-block", "qufabric.service");
    await until("three attempts", async () => Number(await show("NRestarts")) >= 3, WAIT_MS_MAX);
    const journal = await machine.get("journalctl", "-u", "qufabric.service", "--no-pager", "-n", "100");
    check(`${fault.name}: is said in one line`, journal.includes(fault.line), journal.slice(-2000));
    check(`${fault.name}: the service has not failed`, (await show("ActiveState")) !== "failed");
  } finally {
    await fault.end();
  }
  const isBack = await until("a login", login, WAIT_MS_MAX).then(
    () => true,
    () => false,
  );
  check(`${fault.name}: it serves by itself once that is over`, isBack);
}

export async function faultsOn(suite: string, check: Check): Promise<void> {
  await using lab = await openLab();
  const folder = mkdtempSync(join(tmpdir(), "qf-faults-"));
  try {
    const developers = await lab.createGroup("Developers");
    const servers = await lab.createGroup("Servers");
    const ada = await lab.createPerson("ada@example.com", [developers]);
    const authorized = { authorized_groups: { [developers]: ["deploy"] } };
    await lab.createPolicy("deploy", [developers], [servers], authorized);
    const port = await freePort();
    const key = await lab.createSetupKey([servers]);
    await using machine = await BootedMachine.boot(suite, join(folder, "root"));
    await machine.get("useradd", "-m", "deploy");
    const flags = `--no-signature --allow-server-ssh --name web1 --listen 127.0.0.1:${port}`;
    const line = `curl -fsSL ${lab.url}/install.sh | QF_SETUP_KEY=${key} sh -s -- ${flags}`;
    await machine.get("sh", "-c", line);
    const laptop = lab.device(ada, "laptop");
    const login = async () => (await laptop.ssh(["deploy@web1", "id -un"])).stdout === "deploy\n";
    check("a person logs in", await login());

    let holder: { stop(now: boolean): void } | undefined;
    const held: Fault = {
      name: "port held",
      line: `127.0.0.1:${port} is already in use`,
      // The machine is on the network of this one.
      begin: async () => {
        holder = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
      },
      end: async () => holder?.stop(true),
    };
    await meet(held, machine, login, check);

    const small = [
      `cp -a ${STATE} /root/state`,
      `mount -t tmpfs -o size=4m,mode=0711 tmpfs ${STATE}`,
      `cp -a /root/state/. ${STATE}/`,
      `dd if=/dev/zero of=${STATE}/filler bs=4k 2>/dev/null || true`,
    ];
    const full: Fault = {
      name: "full disk",
      line: "qf: error: ",
      begin: () => machine.get("sh", "-c", small.join(" && ")),
      end: () => machine.get("rm", "-f", `${STATE}/filler`),
    };
    await meet(full, machine, login, check);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
