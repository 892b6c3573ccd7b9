/**
 * `--resolver` on a machine whose programs ask systemd-resolved: names come by way of it, and stand in
 * /etc/hosts when it is not there.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLab } from "../support/lab.ts";
import { until } from "../support/until.ts";
import { BootedMachine } from "./machine.ts";
import type { Check } from "./upgrade.ts";

const NAME = "web1.qf.test";
const INSTALL =
  "apt-get update -q && apt-get install -y -q --no-install-recommends systemd-resolved iproute2 libnss-resolve";

/** Checks all of it on `suite`. */
export async function resolverOn(suite: string, check: Check): Promise<void> {
  await using lab = await openLab();
  const folder = mkdtempSync(join(tmpdir(), "qf-resolver-"));
  try {
    await using machine = await BootedMachine.boot(suite, join(folder, "root"), ["CAP_NET_ADMIN"]);
    const servers = await lab.createGroup("Servers");
    const bastions = await lab.createGroup("Bastions");
    await lab.createPolicy("reach", [bastions], [servers], { protocol: "tcp", ports: ["22"] });
    const web1 = await lab.startAgent("web1", { groups: [servers] });
    const address = (await web1.status()).self?.address ?? "";
    await machine.get("sh", "-c", `DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; ${INSTALL}`);
    // It began before the bus had heard of it.
    await machine.get("systemctl", "restart", "systemd-resolved");
    const key = await lab.createSetupKey([bastions]);
    const flags = "--no-signature --name bastion --listen 127.0.0.1:0 --resolver qf.test";
    await machine.get("sh", "-c", `curl -fsSL ${lab.url}/install.sh | QF_SETUP_KEY=${key} sh -s -- ${flags}`);
    const found = async () =>
      (await machine.run(["getent", "ahostsv4", NAME])).stdout.startsWith(`${address} `);
    const inHosts = async (text: string) => (await machine.run(["cat", "/etc/hosts"])).stdout.includes(text);
    const links = async () => /\bqf-\w+/.test(await machine.get("ip", "-o", "link"));
    const waits = (what: string, condition: () => Promise<boolean>) =>
      until(what, condition, 60_000).then(
        () => check(what, true),
        (cause: unknown) => check(what, false, String(cause)),
      );

    await waits("resolver: a peer's name is found", found);
    check("resolver: systemd-resolved has it, not /etc/hosts", (await links()) && !(await inHosts(NAME)));
    const query = await machine.run(["resolvectl", "query", "--legend=no", "nobody.qf.test"]);
    check("resolver: a name that is not there is not found", query.exitCode !== 0, query.stdout);
    const dns = await machine.get("resolvectl", "status");
    check("resolver: for that domain only", dns.includes("~qf.test") && /-DefaultRoute/.test(dns), dns);
    await machine.get("systemctl", "kill", "-s", "KILL", "qufabric.service");
    await waits("resolver: found again after the agent was killed", found);
    await machine.get("qf", "agent", "down");
    check("resolver: nothing is left after qf agent down", !(await links()) && !(await found()));
    await machine.get("systemctl", "disable", "--now", "systemd-resolved");
    await machine.get("sh", "-c", "rm /etc/resolv.conf; : >/etc/resolv.conf");
    await machine.get("qf", "agent", "up");
    await waits("resolver: without systemd-resolved it is in /etc/hosts", () => inHosts(NAME));
    await machine.get("qf", "agent", "down", "--uninstall");
    check("resolver: and gone after uninstalling", !(await inHosts("qufabric")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
