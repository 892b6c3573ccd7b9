/**
 * The service of init systems other than systemd, each in a container whose first process is a shell that
 * starts it: installed by the curl line, killed, stopped, started and removed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLab } from "../support/lab.ts";
import { runProcess } from "../support/run-process.ts";
import { unpackRoot } from "./machine.ts";

interface Init {
  readonly name: string;
  readonly packages: string;
  /** Shell that begins it. */
  readonly begin: string;
  /** What is there only while the service is installed. */
  readonly file: string;
}

const INITS: readonly Init[] = [
  {
    name: "runit",
    packages: "runit",
    begin: "mkdir -p /etc/service /etc/runit; runsvdir -P /etc/service >/dev/null 2>&1 &",
    file: "/etc/sv/qufabric",
  },
  {
    name: "OpenRC",
    packages: "openrc",
    begin: "mkdir -p /run/openrc; openrc sysinit >/dev/null 2>&1; openrc default >/dev/null 2>&1",
    file: "/etc/init.d/qufabric",
  },
];

type Check = (what: string, holds: boolean, detail?: string) => void;

/** Prints a word for each thing that holds. */
function script(init: Init, url: string, key: string): string {
  const flags = "--no-signature --allow-server-ssh --listen 127.0.0.1:0";
  const pid = `qf agent status --json | sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p' | head -n 1`;
  return `
set -u
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null 2>&1
apt-get install -y -q --no-install-recommends ${init.packages} >/dev/null 2>&1 || echo no-packages
${init.begin}
curl -fsSL ${url}/install.sh | QF_SETUP_KEY=${key} sh -s -- ${flags} && echo installed
[ -e ${init.file} ] && echo service
old=$(${pid})
kill -9 "$old"
for i in $(seq 100); do
  new=$(${pid}); [ -n "$new" ] && [ "$new" != "$old" ] && { echo back; break; }; sleep 0.3
done
qf agent down >/dev/null && ! qf agent status >/dev/null 2>&1 && echo down
sleep 3
qf agent status >/dev/null 2>&1 || echo stays-down
qf agent up >/dev/null && echo up
curl -fsSL ${url}/install.sh | sh -s -- --uninstall && echo uninstalled
left=$(find ${init.file} /var/lib/qufabric /usr/local/bin/qf 2>/dev/null)
[ -z "$left" ] && echo nothing-left || echo "left: $left"
`;
}

const WORDS = ["installed", "service", "back", "down", "stays-down", "up", "uninstalled", "nothing-left"];

/** Runs all of them on `suite`. */
export async function otherInits(suite: string, check: Check, names?: readonly string[]): Promise<void> {
  await using lab = await openLab();
  for (const init of INITS.filter(({ name }) => names?.includes(name) ?? true)) {
    const folder = mkdtempSync(join(tmpdir(), "qf-init-"));
    try {
      const root = join(folder, "root");
      unpackRoot(suite, root);
      const command = script(init, lab.url, await lab.createSetupKey([]));
      const nspawn = ["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--as-pid2", "-D", root];
      const { stdout, stderr } = await runProcess([...nspawn, "sh", "-c", command], {
        env: { PATH: process.env.PATH ?? "" },
        timeoutMs: 300_000,
      });
      const said = stdout.split(/\r?\n/);
      for (const word of WORDS) check(`${init.name}: ${word}`, said.includes(word), stdout + stderr);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
