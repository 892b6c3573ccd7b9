/**
 * `make test-platforms`: other C libraries, processors and distributions, each in a root file system of its
 * own. In each one: from the curl line to a first login, the client, and a whole QuFabric of its own; then
 * everything is removed again. Programs for arm64 run under qemu.
 *
 * Needs root, debootstrap, systemd-nspawn and a release of the targets. Names of roots choose some of them.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { version } from "../../package.json";
import { type Lab, type LabDevice, OWNER, openLab } from "../support/lab.ts";
import { emulateArm64 } from "./emulation.ts";
import { Guest } from "./guest.ts";
import { OWN_NETWORK_WORDS, ownNetwork } from "./own-network.ts";
import { PLATFORM_ROOTS, type PlatformRoot, unpackPlatformRoot } from "./roots.ts";
import { otherShells } from "./shells.ts";
import { tryWindows } from "./wine.ts";

const RELEASES = resolve(import.meta.dir, "../../dist/release");
const CHOSEN = process.argv.slice(2);
/** Time for one login at a machine that is emulated. */
const LOGIN_MS_MAX = 180_000;

let failed = 0;
function check(what: string, holds: boolean, detail = ""): void {
  if (!holds) failed += 1;
  process.stdout.write(`${holds ? "ok  " : "FAIL"} ${what}${holds ? "" : `: ${detail}`}\n`);
}

interface Beside {
  readonly lab: Lab;
  readonly laptop: LabDevice;
  readonly servers: string;
  /** Token of a service user, which the client inside signs in with. */
  readonly bot: string;
}

async function openBeside(lab: Lab): Promise<Beside> {
  const developers = await lab.createGroup("Developers");
  const servers = await lab.createGroup("Servers");
  const ada = await lab.createPerson("ada@example.com", [developers]);
  await lab.createPolicy("deploy", [developers], [servers], {
    authorized_groups: { [developers]: ["deploy"] },
  });
  const laptop = lab.device(ada, "laptop");
  await laptop.login();
  const admin = { env: { QF_TOKEN: lab.token, QF_MANAGEMENT_URL: lab.url } };
  await lab.qf(["user", "create", "bot", "--service", "--groups", "Developers"], admin);
  const made = await lab.qf(["token", "create", "bot", "--user", "bot", "--scope", "ssh", "--json"], admin);
  return { lab, laptop, servers, bot: JSON.parse(made.stdout).plain_token };
}

async function tryRoot(root: PlatformRoot, { lab, laptop, servers, bot }: Beside): Promise<void> {
  process.stdout.write(`== ${root.title}\n`);
  const folder = mkdtempSync(join(tmpdir(), "qf-platform-"));
  try {
    unpackPlatformRoot(root, join(folder, "root"));
    await using guest = await Guest.start(join(folder, "root"));
    const name = root.name.replace(/[^a-z0-9]/g, "-");
    const ssh = (...words: string[]) =>
      lab.qf(["ssh", "-o", "ConnectTimeout=60", ...words], { env: laptop.env(), timeoutMs: LOGIN_MS_MAX });

    const beganMs = performance.now();
    const key = await lab.createSetupKey([servers]);
    const flags = `--no-signature --allow-server-ssh --enable-ssh-sftp --name ${name} --listen 127.0.0.1:0`;
    const fetch = root.name.startsWith("musl") ? "wget -qO-" : "curl -fsSL";
    const line = `${fetch} ${lab.url}/install.sh | QF_SETUP_KEY=${key} sh -s -- ${flags}`;
    const installed = await guest.run(["sh", "-c", line]);
    const joined = installed.exitCode === 0 && installed.stderr.includes("installed qf");
    check("the line installs and joins", joined, installed.stderr + installed.stdout);
    const first = await ssh(`deploy@${name}`, "id -un");
    check("a person logs in", first.stdout === "deploy\n", first.stderr);
    const seconds = Math.round((performance.now() - beganMs) / 1000);
    process.stdout.write(`     ${seconds} s from the line to the login\n`);

    const terminal = await ssh("-tt", `deploy@${name}`, "tty; exit 7");
    check(
      "a terminal, and the exit status",
      terminal.exitCode === 7 && /\/dev\//.test(terminal.stdout),
      terminal.stderr,
    );
    const refused = await ssh(`nobody@${name}`, "true");
    check("another account is refused", refused.exitCode === 255, refused.stdout);
    await tryClient(guest, { name, url: lab.url, bot });
    const own = await ownNetwork(guest);
    for (const word of OWN_NETWORK_WORDS)
      check(`a network of its own: ${word}`, own.words.has(word), own.text);
    const gone = await guest.run(["sh", "-c", `${fetch} ${lab.url}/install.sh | sh -s -- --uninstall`]);
    check("uninstall succeeds", gone.exitCode === 0, gone.stderr);
    const left = "ls -d /var/lib/qufabric /usr/local/bin/qf /usr/local/share/qufabric; echo looked";
    const { stdout } = await guest.run(["sh", "-c", left]);
    check("and leaves nothing", stdout === "looked\n", stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tryClient(
  guest: Guest,
  { name, url, bot }: { readonly name: string; readonly url: string; readonly bot: string },
): Promise<void> {
  const env = { QF_MANAGEMENT_URL: url, QF_TOKEN: bot, QF_CONFIG_DIR: "/root/client" };
  const commands: [words: string, says: RegExp][] = [
    [`qf ssh -o ConnectTimeout=60 deploy@${name} 'id -un'`, /^deploy$/m],
    ["qf whoami", /bot/],
    [`qf ping -c 1 ${name}`, /relay|direct/],
    ["qf doctor", /./],
    ["qf version", /^qf \d/],
    ["qf help policy create", /usage: qf policy create/],
    ["qf completion bash", /__complete/],
    ["qf __complete fish us", /^user\t/m],
  ];
  for (const [words, says] of commands) {
    const ran = await guest.run(["sh", "-c", words], env);
    check(
      words.replace(name, "MACHINE"),
      says.test(ran.stdout),
      `${ran.exitCode} ${ran.stdout}${ran.stderr}`,
    );
  }
  if ((await guest.run(["sh", "-c", "command -v ssh"])).exitCode !== 0) return;
  const ssh = `qf ssh-config install --mine >/dev/null && ssh deploy@${name}.qf.internal id -un`;
  const ran = await guest.run(["sh", "-c", ssh], env);
  check("OpenSSH by qf ssh-config", ran.stdout === "deploy\n", ran.stderr);
}

if (!existsSync(RELEASES)) throw new Error("there is no dist/release: use make test-platforms");
await using lab = await openLab({ serveArgs: ["--releases", RELEASES] });
using emulation = emulateArm64();
const beside = await openBeside(lab);
if (CHOSEN.length === 0 || CHOSEN.includes("shells")) {
  const desk = lab.device(OWNER, "desk");
  await desk.login();
  await otherShells(desk, check);
}
for (const root of PLATFORM_ROOTS) {
  if (CHOSEN.length > 0 && !CHOSEN.includes(root.name)) continue;
  if (root.arch === "arm64" && emulation === null) {
    process.stdout.write(`skip ${root.title}: this kernel cannot run its programs by qemu\n`);
    continue;
  }
  try {
    await tryRoot(root, beside);
  } catch (error) {
    check(root.title, false, String(error));
  }
}
if (CHOSEN.length === 0 || CHOSEN.includes("windows")) {
  try {
    const setupKey = await lab.createSetupKey([beside.servers]);
    const { executable, url } = lab;
    await tryWindows({ version, executable, url, setupKey, machine: "beside-wine", bot: beside.bot, check });
  } catch (error) {
    check("Windows", false, String(error));
  }
}
process.stdout.write(failed === 0 ? "all passed\n" : `${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
