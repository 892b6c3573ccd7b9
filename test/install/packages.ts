/**
 * The packages on a machine that systemd boots: installed, upgraded under a live session, and removed again.
 * Debian's own `rpm` stands in for Red Hat's system; nothing of it resolves what a package depends on.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildDeb, buildRpm } from "../../packaging/packages.ts";
import { type Lab, openLab } from "../support/lab.ts";
import { until } from "../support/until.ts";
import { BootedMachine, filesOf } from "./machine.ts";

const EXECUTABLE = resolve(import.meta.dir, "../../dist/qf");
const ARCH = { deb: "amd64", rpm: "x86_64" };
const VERSIONS = ["0.1.1", "0.1.2"] as const;
const WAIT_MS_MAX = 90_000;

type Check = (what: string, holds: boolean, detail?: string) => void;

interface Kind {
  readonly name: string;
  readonly build: typeof buildDeb;
  /** Packages that the machine needs to take it. */
  readonly needs: readonly string[];
  install(file: string): string[];
  upgrade(file: string): string[];
  readonly remove: readonly string[];
  /** What a removal without `qf agent down --uninstall` leaves: the machine's identity. */
  readonly keeps: readonly string[];
}

const KINDS: readonly Kind[] = [
  {
    name: ".deb",
    build: buildDeb,
    needs: [],
    install: (file) => ["dpkg", "-i", file],
    upgrade: (file) => ["dpkg", "-i", file],
    remove: ["dpkg", "--purge", "qufabric"],
    keeps: [],
  },
  {
    name: ".rpm",
    build: buildRpm,
    needs: ["rpm"],
    install: (file) => ["rpm", "-i", "--nodeps", file],
    upgrade: (file) => ["rpm", "-U", "--nodeps", file],
    remove: ["rpm", "-e", "qufabric"],
    keeps: ["/var/lib/qufabric"],
  },
];

/** Both packages of two versions, around this build. */
function buildPackages(folder: string, kind: Kind): string[] {
  return VERSIONS.map((version) => {
    const release = join(folder, version);
    mkdirSync(release, { recursive: true });
    copyFileSync(EXECUTABLE, join(release, "qf-linux-x64"));
    writeFileSync(join(release, "manifest.json"), "{}\n");
    const work = join(folder, `work-${version}`);
    mkdirSync(work, { recursive: true });
    const input = { release, version, build: "qf-linux-x64", native: EXECUTABLE, work, epochSeconds: 1 };
    return join(release, kind.build(input, ARCH));
  });
}

export async function packagesOn(suite: string, check: Check): Promise<void> {
  await using lab = await openLab();
  const developers = await lab.createGroup("Developers");
  const servers = await lab.createGroup("Servers");
  const ada = await lab.createPerson("ada@example.com", [developers]);
  const authorized = { authorized_groups: { [developers]: ["deploy"] } };
  await lab.createPolicy("deploy", [developers], [servers], authorized);
  for (const kind of KINDS) {
    const folder = mkdtempSync(join(tmpdir(), "qf-packages-"));
    try {
      await using machine = await BootedMachine.boot(suite, join(folder, "root"));
      const name = `web-${kind.name.slice(1)}`;
      const said: Check = (what, holds, detail) => check(`${kind.name}: ${what}`, holds, detail);
      await walk({ lab, kind, machine, name, servers, laptop: lab.device(ada, "laptop"), folder }, said);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

interface Walk {
  readonly lab: Lab;
  readonly kind: Kind;
  readonly machine: BootedMachine;
  readonly name: string;
  readonly servers: string;
  readonly laptop: ReturnType<Lab["device"]>;
  readonly folder: string;
}

async function walk(
  { lab, kind, machine, name, servers, laptop, folder }: Walk,
  check: Check,
): Promise<void> {
  if (kind.needs.length > 0) {
    await machine.get("sh", "-c", "apt-get update -q >/dev/null 2>&1");
    await machine.get("apt-get", "install", "-y", "-q", "--no-install-recommends", ...kind.needs);
  }
  await machine.get("useradd", "-m", "deploy");
  const before = await filesOf(machine);
  const packages = buildPackages(folder, kind);
  const [first = "", second = ""] = packages.map((path, i) => {
    const inside = `/root/package-${i}${kind.name}`;
    copyFileSync(path, join(machine.root, inside));
    return inside;
  });
  const up = async (as: string) => {
    const key = await lab.createSetupKey([servers]);
    const flags = ["--allow-server-ssh", "--name", as, "--listen", "127.0.0.1:0"];
    await machine.run(["qf", "agent", "up", "--management-url", lab.url, ...flags], {
      env: { QF_SETUP_KEY: key },
    });
  };
  const pid = async (): Promise<number> =>
    JSON.parse(await machine.get("qf", "agent", "status", "--json")).pid;
  const login = async (at = name) => (await laptop.ssh([`deploy@${at}`, "id -un"])).stdout === "deploy\n";

  await machine.get(...kind.install(first));
  check("installed, it starts nothing", (await machine.run(["qf", "agent", "status"])).exitCode !== 0);
  await up(name);
  check("a person logs in", await login());
  const upgraded = await machine.run(["qf", "upgrade", "--check"]);
  check("qf upgrade leaves it to the package manager", upgraded.stderr.includes("installed by a package"));
  const session = laptop.spawn(["ssh", `deploy@${name}`, "cat"]);
  let heard = "";
  const take = (chunk: Uint8Array) => {
    heard += Buffer.from(chunk).toString();
  };
  void session.stdout.pipeTo(new WritableStream({ write: take }));
  const echoes = async (word: string): Promise<boolean> => {
    session.stdin.write(`${word}\n`);
    await session.stdin.flush();
    const found = until(`the echo of ${word}`, () => heard.includes(word), WAIT_MS_MAX);
    return await found.then(
      () => true,
      () => false,
    );
  };
  check("a session is open", await echoes("one"));
  const old = await pid();
  await machine.get(...kind.upgrade(second));
  await until("another agent", async () => (await pid().catch(() => old)) !== old, WAIT_MS_MAX);
  check("an upgrade replaces the agent, and the session goes on", await echoes("two"));
  check("a person logs in after it", await login());
  const removed = await machine.run([...kind.remove]);
  check("it is removed", removed.exitCode === 0, removed.stderr);
  await session.exited;
  await checkNothing("the machine's identity at most", kind.keeps);

  await machine.get(...kind.install(second));
  // The name of the machine that is gone stays reserved.
  const again = kind.keeps.length === 0 ? `${name}-again` : name;
  if (again !== name) await up(again);
  else await machine.get("qf", "agent", "up");
  check("installed again, it serves again", await until("a login", () => login(again), WAIT_MS_MAX));
  await machine.get("qf", "agent", "down", "--uninstall");
  await machine.get(...kind.remove);
  await checkNothing("nothing after qf agent down --uninstall", []);

  async function checkNothing(what: string, kept: readonly string[]): Promise<void> {
    const left = (await filesOf(machine)).filter((file) => !before.includes(file) && !kept.includes(file));
    check(`leaves ${what}`, left.length === 0, left.join(" "));
    const running = await machine.run(["pgrep", "-x", "qf"]);
    check("no process of it is left", running.stdout === "", running.stdout);
  }
}
